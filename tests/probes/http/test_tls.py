"""Tests of the engine over TLS: who is trusted, and what is said of who is not."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from probes.http.certificates import Authorities, system_authorities
from probes.result import Outcome, Reason
from probes.run import RunOptions
from tests.probes.journeys import journey_of, run_of
from tests.probes.server import ShopStub, running_stub


def write_certificate(folder: Path, *, days: float, host: str = "127.0.0.1") -> Path:
    """Write a certificate that signs itself, and its key, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shöp")])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [
        x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "shop.pem"
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def secured(path: Path) -> Iterator[ShopStub]:
    """Yield a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with running_stub(context) as stub:
        stub.page("/", "<p>secured</p>")
        yield stub


@pytest.mark.parametrize(
    ("days", "host", "said"),
    [(-1, "127.0.0.1", "expired"), (9, "shop.example", "subject name"), (9, "", "self")],
)
def test_a_certificate_that_is_not_good_is_a_tls_failure(
    tmp_path: Path, days: float, host: str, said: str
) -> None:
    """Expired, for another host, signed by itself: each is said."""
    path = write_certificate(tmp_path, days=days, host=host or "127.0.0.1")
    options = RunOptions(ca_file=str(path) if host else None)
    with secured(path) as stub:
        run = run_of(journey_of({"get": stub.url, "expect": {"status": 200}}), options=options)
    assert (run.outcome, run.reason) == (Outcome.FAILED, Reason.TLS)
    assert said in run.detail
    phases = run.steps[0].hops[0].phases
    assert (phases.tls > 0, phases.first_byte) == (True, 0), phases  # the shop was never asked


@pytest.mark.parametrize(("wanted", "outcome"), [(8, Outcome.PASSED), (10, Outcome.FAILED)])
def test_a_certificate_about_to_end_is_seen_in_time(
    tmp_path: Path, wanted: int, outcome: Outcome
) -> None:
    """`certificate_days` fails the step before the certificate fails the shop."""
    path = write_certificate(tmp_path, days=9)
    with secured(path) as stub:
        journey = journey_of({"get": stub.url, "expect": {"certificate_days": wanted}})
        run = run_of(journey, options=RunOptions(ca_file=str(path)))
    assert run.outcome is outcome, run.detail
    assert run.certificate_expires_at is not None
    assert run.steps[0].hops[0].phases.tls > 0


def test_a_kept_secure_connection_still_knows_its_certificate(tmp_path: Path) -> None:
    """The second step of a run has the facts although it made no handshake."""
    path = write_certificate(tmp_path, days=9)
    step = {"expect": {"certificate_days": 1}}
    with secured(path) as stub:
        journey = journey_of({"get": stub.url, **step}, {"get": stub.url, **step})
        run = run_of(journey, options=RunOptions(ca_file=str(path)))
    assert run.outcome is Outcome.PASSED, run.detail


def test_checking_can_be_switched_off_for_a_journey(tmp_path: Path) -> None:
    """A staging shop with its own certificate may be watched, explicitly."""
    with secured(write_certificate(tmp_path, days=-1)) as stub:
        journey = journey_of({"get": stub.url, "expect": {"status": 200}}, tls={"verify": False})
        run = run_of(journey)
    assert run.outcome is Outcome.PASSED, run.detail
    assert run.certificate_expires_at is not None
    assert run.certificate_expires_at < run.started_at


@pytest.fixture
def fresh_authorities() -> Iterator[None]:
    """Have what the machine trusts looked up anew, in the test and after it."""
    system_authorities.cache_clear()
    yield
    system_authorities.cache_clear()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to name certificates")
@pytest.mark.usefixtures("fresh_authorities")
def test_a_folder_of_trusted_certificates_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is in the machine's folder is trusted; an empty folder trusts nobody."""
    shop = write_certificate(tmp_path, days=30)
    trusted = tmp_path / "certs"
    trusted.mkdir()
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(shop)]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    (trusted / f"{name}.0").write_text(shop.read_text())
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(trusted))
    with secured(shop) as stub:
        journey = journey_of({"get": stub.url, "expect": {"text": "secured"}})
        assert run_of(journey).outcome is Outcome.PASSED
        (trusted / f"{name}.0").rename(trusted / "00000000.0")
        assert run_of(journey).reason is Reason.TLS


@pytest.mark.usefixtures("fresh_authorities")
def test_a_file_the_operator_names_is_what_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`SSL_CERT_FILE` wins over the system's folder."""
    path = write_certificate(tmp_path, days=30)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    assert system_authorities() == Authorities(str(path))
