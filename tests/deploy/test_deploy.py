"""What the files of deploy/ name exists; none of it needs a container engine.

https://docs.docker.com/reference/dockerfile/ https://www.freedesktop.org/software/systemd/man/
"""

import json
import re
from pathlib import Path

import pytest
import typer
import yaml

from api.cli import cli
from api.limits import LARGEST_BODY
from service.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SETTING = re.compile(r"\bALONGSIDE_([A-Z_]+)\b")
PORT = 8000


def text_of(name):
    return (DEPLOY / name).read_text(encoding="utf-8")


def shipped():
    """Return the files of deploy/; the secrets that someone put beside them are not read."""
    found = [each for each in DEPLOY.rglob("*") if each.is_file() and each.suffix != ".env"]
    return sorted(found)


def instructions():
    """The Dockerfile's instructions, continued lines joined, as (name, rest)."""
    lines = [each for each in text_of("Dockerfile").splitlines() if not each.startswith("#")]
    joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line]


def only(name):
    """The rest of the last instruction of this name: it is the one that counts."""
    return [rest for each, rest in instructions() if each == name][-1]


def settings_of(unit):
    """The unit's settings; one may be given more than once."""
    found = {}
    for name, value in re.findall(r"^([A-Za-z]+)=(.*)$", unit, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def compose():
    return yaml.safe_load(text_of("compose.yaml"))


def env_example(name):
    lines = text_of(name).splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def accepts(arguments):
    """Whether `alongside` has this command with these options."""
    command = typer.main.get_command(cli).commands[arguments[0]]
    known = {option for parameter in command.params for option in parameter.opts}
    return {each for each in arguments if each.startswith("--")} <= known


@pytest.mark.parametrize("file", shipped(), ids=lambda file: file.name)
def test_every_setting_that_is_named_exists(file):
    named = {each.lower() for each in SETTING.findall(file.read_text(encoding="utf-8"))}
    assert named - set(Settings.model_fields) == set()


def test_the_image_copies_files_that_exist_and_are_let_through():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = {line[1:] for line in ignored if line.startswith("!")}
    copied = set()
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            copied |= set(rest.split()[:-1])
    assert [each for each in sorted(copied) if not (ROOT / each).exists()] == []
    assert "*" in ignored
    assert copied == let_through


def test_the_image_has_every_package_of_the_distribution():
    packages = {each.name for each in ROOT.iterdir() if (each / "__init__.py").exists()} - {"tests"}
    copied = {rest.split()[0] for name, rest in instructions() if name == "COPY"}
    assert packages <= copied


def test_the_image_installs_by_hash_and_then_the_project_alone():
    installs = [rest for name, rest in instructions() if name == "RUN" and "pip install" in rest]
    assert installs == [
        "pip install --require-hashes -r requirements.lock",
        "pip install --no-deps --no-build-isolation .",
    ]


def test_the_image_does_not_run_as_root():
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", only("USER"))


def test_the_image_names_no_registry():
    images = [rest.split()[0] for name, rest in instructions() if name == "FROM"]
    images += [each["image"] for each in compose()["services"].values()]
    assert [each for each in images if "/" in each] == []


def test_the_image_starts_a_command_that_exists():
    assert json.loads(only("ENTRYPOINT")) == ["alongside"]
    assert accepts(json.loads(only("CMD")))
    assert only("EXPOSE") == str(PORT)


def test_the_health_check_is_python_that_asks_whether_it_lives():
    _, _, command = only("HEALTHCHECK").partition("CMD ")
    program, flag, source = json.loads(command)
    assert (program, flag) == ("python", "-c")
    assert "'/livez'" in source
    compile(source, "HEALTHCHECK", "exec")


def test_compose_migrates_after_the_database_and_serves_after_that():
    services = compose()["services"]
    assert set(services) == {"database", "migrate", "alongside"}
    assert accepts(services["migrate"]["command"])
    waits = {name: each.get("depends_on") for name, each in services.items()}
    assert waits["migrate"] == {"database": {"condition": "service_healthy"}}
    assert waits["alongside"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_compose_builds_from_files_that_exist():
    build = compose()["services"]["alongside"]["build"]
    context = (DEPLOY / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).is_file()


def test_compose_believes_the_gateway_of_its_own_network():
    found = compose()
    (network,) = found["networks"]["default"]["ipam"]["config"]
    environment = found["services"]["alongside"]["environment"]
    assert environment["ALONGSIDE_TRUSTED_PROXIES"] == network["gateway"]


def test_no_password_has_a_default():
    for service in compose()["services"].values():
        assert (DEPLOY / f"{service['env_file']}.example").is_file()
        assert [name for name in service["environment"] if "PASSWORD" in name] == []
        assert (
            ":" not in service["environment"].get("ALONGSIDE_DATABASE_URL", "").partition("//")[2]
        )
    assert env_example("alongside.env.example")["PGPASSWORD"] == ""
    assert env_example("database.env.example") == {"POSTGRES_PASSWORD": ""}


def test_the_unit_migrates_and_serves_with_commands_that_exist():
    unit = settings_of(text_of("alongside.service"))
    for name in ("ExecStartPre", "ExecStart"):
        program, *arguments = unit[name][0].split()
        assert program == "/opt/alongside/bin/alongside"
        assert accepts(arguments)


def test_the_timer_runs_a_command_that_exists_under_the_same_confinement():
    unit, service = (
        settings_of(text_of(name)) for name in ("alongside-settle.service", "alongside.service")
    )
    program, *arguments = unit["ExecStart"][0].split()
    assert [program] == service["ExecStart"][0].split()[:1]
    assert accepts(arguments)
    own = {"Description", "After", "Requisite", "Type", "ExecStart", "TimeoutStartSec"}
    assert {name: service[name] for name in unit if name not in own} == {
        name: unit[name] for name in unit if name not in own
    }
    assert "OnCalendar=*:0/5\n" in text_of("alongside-settle.timer")


def test_the_unit_keeps_its_files_where_it_may_write():
    unit = settings_of(text_of("alongside.service"))
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["WorkingDirectory"] == [f"/var/lib/{unit['StateDirectory'][0]}"]
    assert unit["User"] == ["alongside"]
    assert unit["UMask"] == ["0077"]


def test_the_proxy_asks_where_the_unit_and_compose_serve():
    proxy = text_of("nginx.conf")
    assert f"server 127.0.0.1:{PORT};" in proxy
    assert f"--host 127.0.0.1 --port {PORT}\n" in text_of("alongside.service")
    assert compose()["services"]["alongside"]["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]


def test_the_proxy_leaves_the_services_own_limit_to_the_service():
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", text_of("nginx.conf"))
    assert int(megabytes) * 2**20 > LARGEST_BODY


def test_the_proxy_logs_no_query():
    (fields,) = re.findall(r"log_format alongside (.*?);", text_of("nginx.conf"), re.DOTALL)
    assert [each for each in ("$request ", "$request_uri", "$args") if each in fields] == []


def test_a6_35_the_example_of_a_proxy_takes_no_tls_older_than_1_2():
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert re.findall(r"ssl_protocols ([^;]+);", text) == ["TLSv1.2 TLSv1.3"]


def test_the_example_of_the_environment_has_every_setting_with_its_default():
    lines = re.findall(r"^#ALONGSIDE_([A-Z_]+)=(.*)$", text_of("env.example"), re.MULTILINE)
    told = {name.lower(): value for name, value in lines}
    fields = Settings.model_fields.items()
    defaults = {name: "" if each.default is None else str(each.default) for name, each in fields}
    assert told == defaults
    assert len(lines) == len(told)
    others = [each for each in text_of("env.example").splitlines() if not each.startswith("#")]
    assert others == [""]
