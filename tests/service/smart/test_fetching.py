"""A JWK Set is fetched from where a client says, and from nowhere that it could harm."""

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from service.errors import InvalidError
from service.smart.fetching import LARGEST, Fetcher, FetchError, networks_of
from tests.jwks_server import jwks_server

LOOPBACK = networks_of("127.0.0.0/8, ::1/128")
local = Fetcher(LOOPBACK)


@pytest.fixture
def hospital():
    with jwks_server(b'{"keys": []}') as found:
        yield found


def resolving(monkeypatch, *addresses: str) -> None:
    """Let every name stand for these addresses."""

    def found(_host, port, *_rest, **_more):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


def test_what_is_answered_comes_with_how_long_it_may_be_kept(hospital):
    hospital.headers = {"Cache-Control": "max-age=7", "Age": "2"}
    found = local.get(hospital.url)
    assert (found.content, found.cache_control, found.age) == (b'{"keys": []}', "max-age=7", "2")
    (asked,) = hospital.asked
    assert asked["Host"] == hospital.url.split("/")[2]
    assert "Authorization" not in asked


def test_loopback_is_refused_unless_the_setting_allows_it(hospital):
    with pytest.raises(FetchError, match="must be https"):
        Fetcher().get(hospital.url)
    with pytest.raises(FetchError, match="not public"):
        Fetcher().get(hospital.url.replace("http:", "https:"))
    assert hospital.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.1.2.3", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0",
        "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::", "fec0::1", "3fff::1", "192.88.99.1",
    ],
)  # fmt: skip
def test_a_name_that_leads_to_an_address_that_is_not_public_is_refused(monkeypatch, address):
    for others in ([], ["93.184.215.14"]):  # one bad address spoils them all
        resolving(monkeypatch, *others, address)
        with pytest.raises(FetchError, match="not public"):
            Fetcher().get("https://harbor.example/jwks")


def test_what_was_looked_at_is_what_is_connected_to(monkeypatch, hospital):
    """A name that stands for another address the second time would be a way round."""
    port = int(hospital.url.split(":")[2].split("/")[0])
    answers = iter(["127.0.0.1", "10.0.0.1"])
    asked = []

    def found(host, port, **_more):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    real = socket.getaddrinfo

    def by_name(host, port, *rest, **more):
        return found(host, port) if host == "localhost" else real(host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", by_name)
    assert local.get(f"http://localhost:{port}/jwks").content
    assert asked == ["localhost"]


def test_http_is_for_loopback_alone(monkeypatch):
    resolving(monkeypatch, "10.0.0.1")
    wide = Fetcher(networks_of("0.0.0.0/0"))
    with pytest.raises(FetchError, match="must be https"):
        wide.get("http://localhost/jwks")
    with pytest.raises(FetchError, match="must be https"):
        wide.get("http://10.0.0.1/jwks")


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("", "https"),
        ("harbor.example/jwks", "https"),
        ("file:///etc/passwd", "https"),
        ("ftp://harbor.example/", "https"),
        ("http://harbor.example/", "must be https"),
        ("https://", "https"),
        ("https://user:pass@harbor.example/", "a user or a fragment"),
        ("https://harbor.example/#x", "a user or a fragment"),
        ("https://harbor.example/\n", "printable"),
        ("https://härbor.example/", "printable"),
        ("https://harbor.example:x/", "not a URL"),
        ("https://xn--a.example/", "not a URL"),
        ("https://harbor.example/" + "x" * 2000, "printable"),
    ],
)
def test_what_is_no_address_of_keys_is_refused_when_it_is_registered(url, rule):
    with pytest.raises(InvalidError, match=rule):
        Fetcher().check(url)


def test_an_address_of_keys_is_not_asked_when_it_is_registered(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", None)
    Fetcher().check("https://harbor.example/jwks")


def test_a_name_that_does_not_resolve_is_a_failure(monkeypatch):
    def unknown(*_arguments, **_more):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(FetchError, match="does not resolve"):
        Fetcher().get("https://harbor.example/jwks")


@pytest.mark.parametrize("status", [204, 301, 302, 307, 404, 500])
def test_only_200_is_an_answer_and_no_redirect_is_followed(hospital, status):
    hospital.status = status
    hospital.headers = {"Location": hospital.url}
    with pytest.raises(FetchError, match=f"answers {status}"):
        local.get(hospital.url)
    assert len(hospital.asked) == 1


def test_a_long_answer_is_not_read_to_its_end(hospital):
    hospital.content = b" " * (LARGEST + 1)
    with pytest.raises(FetchError, match="more than"):
        local.get(hospital.url)
    hospital.content = b" " * LARGEST
    assert len(local.get(hospital.url).content) == LARGEST


def test_an_answer_that_trickles_is_given_up(hospital):
    hospital.pause = 0.05
    started = time.monotonic()
    with pytest.raises(FetchError, match=r"too long|ReadTimeout"):
        Fetcher(LOOPBACK, seconds=0.2).get(hospital.url)
    assert time.monotonic() - started < 2


def test_a_compressed_answer_is_refused_unread(hospital):
    hospital.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(FetchError, match="encoding"):
        local.get(hospital.url)


def test_nobody_there_is_a_failure():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(FetchError, match="refuses the connection"):
        local.get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n"])
def test_what_does_not_speak_http_is_a_failure(said):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(FetchError, match="does not answer"):
            local.get(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        thread.join()


def test_no_proxy_of_the_environment_is_used(hospital, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert local.get(hospital.url).content


def test_over_https_the_certificate_is_that_of_the_name(tmp_path, monkeypatch):
    resolving(monkeypatch, "127.0.0.1")
    context = certified("harbor.example", tmp_path)
    with jwks_server(b"{}", context) as hospital:
        url = hospital.url.replace("127.0.0.1", "harbor.example")
        with pytest.raises(FetchError, match="ConnectError"):  # nobody vouches for it
            local.get(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "harbor.example.pem"))
        trusting = Fetcher(LOOPBACK)
        assert trusting.get(url).content == b"{}"
        with pytest.raises(FetchError, match="ConnectError"):  # the name is another
            trusting.get(url.replace("harbor", "elsewhere"))


def certified(name: str, folder) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize(
    "url",
    ["https://h:99999/", "https://a..b/", f"https://{'a' * 64}.example/", "https://h:0/",
     "https://0x7f.1/", "https://2130706433/", "https://[::1]/", "https://[::ffff:a00:1]/"],
)  # fmt: skip
def test_an_odd_address_is_a_failure_and_nothing_worse(url):
    with pytest.raises(FetchError, match=r"does not resolve|not public"):
        Fetcher().get(url)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "x", "10.0.0.0/99"])
def test_a_network_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match=r"host bits|does not appear"):
        networks_of(text)


def test_networks_are_read_from_a_list():
    assert networks_of(None) == ()
    assert networks_of(" 10.0.0.0/8,::1 ,") == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )


def test_an_answer_whose_headers_trickle_is_given_up():
    stopped = threading.Event()

    def trickle(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 100:
                connection.sendall(bytes([byte]))
                if stopped.wait(0.1):
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=trickle, args=(listening,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/jwks"
        with pytest.raises(FetchError):
            Fetcher(networks_of("127.0.0.0/8"), seconds=0.5).get(url)
        stopped.set()
        thread.join()
