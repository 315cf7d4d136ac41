"""Whether a volume is encrypted, in simulated /proc and /sys: no test may make a device."""

from pathlib import Path

import pytest

from api.doctor import volumes
from api.doctor.findings import Level
from service.settings import Settings

FOLDER = Path("/data/db")


@pytest.fixture
def simulated(tmp_path):
    """A root whose /proc and /sys are made of files; `mounted` adds a mount."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text("36 1 8:1 / / rw - ext4 /dev/sda1 rw\n")
    device(tmp_path, "8:1", "sda1")
    return tmp_path


def device(root: Path, numbers: str, name: str, uuid: str = "", slaves: tuple[str, ...] = ()):
    made = root / "sys/devices" / name
    (made / "slaves").mkdir(parents=True)
    if uuid:
        (made / "dm").mkdir()
        (made / "dm/uuid").write_text(uuid)
    for each in slaves:
        (made / "slaves" / each).symlink_to(root / "sys/devices" / each)
    for folder, link in (("sys/dev/block", numbers), ("sys/class/block", name)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / link).symlink_to(made)


def mounted(root: Path, line: str):
    with (root / "proc/self/mountinfo").open("a") as file:
        file.write(f"{line}\n")


def test_a_volume_under_dm_crypt_is_encrypted(simulated):
    device(simulated, "253:0", "dm-0", "CRYPT-LUKS2-abc")
    mounted(simulated, "40 36 253:0 / /data rw shared:1 - ext4 /dev/mapper/data rw")
    assert volumes.encryption_of(FOLDER, simulated) == (
        True, "its device /dev/mapper/data is under dm-crypt",
    )  # fmt: skip


def test_a_volume_group_on_dm_crypt_is_encrypted_where_all_of_it_is(simulated):
    device(simulated, "253:0", "dm-0", "CRYPT-LUKS2-abc")
    device(simulated, "253:1", "dm-1", "LVM-one", ("dm-0",))
    device(simulated, "253:2", "dm-2", "LVM-two", ("dm-0", "sda1"))
    mounted(simulated, "40 36 253:1 / /data rw - xfs /dev/mapper/one rw")
    assert volumes.encryption_of(FOLDER, simulated)[0] is True
    mounted(simulated, "41 40 253:2 / /data/db rw - xfs /dev/mapper/two rw")
    assert volumes.encryption_of(FOLDER, simulated)[0] is False


def test_a_plain_disk_is_not(simulated):
    encrypted, said = volumes.encryption_of(FOLDER, simulated)
    assert encrypted is False
    assert "/dev/sda1 is not under dm-crypt" in said


@pytest.mark.parametrize(
    ("line", "encrypted"),
    [
        ("40 36 0:50 / /data rw - ecryptfs /home/.private rw", True),
        ("40 36 0:50 / /data rw - fuse.gocryptfs /x rw", True),
        ("40 36 0:50 / /data rw - zfs tank/db rw", None),
        ("40 36 0:50 / /data rw - overlay overlay rw", None),
        ("40 36 0:50 / /data rw - tmpfs tmpfs rw", None),
        ("40 36 0:50 / /data rw - nfs4 server:/x rw", None),
        ("40 36 0:50 / /data rw - btrfs /dev/gone rw", None),
        ("40 36 0:50 / /other\\040place rw - tmpfs tmpfs rw", False),
        ("nonsense", False),
    ],
)
def test_what_can_be_seen_of_other_file_systems(simulated, line, encrypted):
    mounted(simulated, line)
    assert volumes.encryption_of(FOLDER, simulated)[0] is encrypted


def test_btrfs_is_found_by_its_source(simulated):
    device(simulated, "253:0", "dm-0", "CRYPT-LUKS2-abc")
    mounted(simulated, "40 36 0:50 /sub /data rw - btrfs /dev/dm-0 rw")
    assert volumes.encryption_of(FOLDER, simulated)[0] is True


def test_a_system_without_proc_cannot_tell(tmp_path):
    assert volumes.encryption_of(FOLDER, tmp_path)[0] is None


def found(simulated, **more):
    url = f"sqlite:///{simulated / 'alongside.db'}"
    return list(volumes.findings(Settings(database_url=url, **more), simulated))


def test_unknown_is_a_warning_with_the_next_step_and_an_assertion_is_believed(simulated):
    (one,) = found(simulated)  # the audit database is in the same folder
    assert one.level is Level.WARNING
    assert one.sentence.endswith("then set ALONGSIDE_VOLUME_ENCRYPTION=asserted.")
    (one,) = found(simulated, volume_encryption="asserted")
    assert one.level is Level.OK
    assert "operator asserts" in one.sentence
    device(simulated, "253:0", "dm-0", "CRYPT-LUKS2-abc")
    mounted(simulated, f"40 36 253:0 / {simulated} rw - ext4 /dev/mapper/data rw")
    (one,) = found(simulated)
    assert (one.level, "under dm-crypt" in one.sentence) == (Level.OK, True)


def test_a_server_elsewhere_is_not_seen():
    settings = Settings(database_url="postgresql://u@db.example.org/x")
    (one,) = volumes.findings(settings)
    assert one.level is Level.WARNING
    assert "may be encrypted" in one.sentence


@pytest.mark.postgres
def test_a_server_on_this_machine_says_where_its_data_is(postgres_url):
    settings = Settings(database_url=postgres_url)
    (one,) = volumes.findings(settings)
    assert ", in /" in one.sentence
