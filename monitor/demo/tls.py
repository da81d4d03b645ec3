"""Answers for the shop's certificates: its own authority, a good certificate, and one that ran out.

The key and certificates live in a private temporary folder for as long as the shop runs.
"""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

AUTHORITY_LIFE = timedelta(days=825)
CERTIFICATE_LIFE = timedelta(days=90)
RAN_OUT_AGO = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files are, all PEM."""

    authority: Path
    key: Path
    valid: Path
    expired: Path


def make_certificates(folder: Path, hosts: tuple[str, ...], now: datetime) -> Certificates:
    """Write an authority and two certificates for the hosts (names or addresses)."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Kijani Market demo authority")])
    start = now - AUTHORITY_LIFE
    authority = _authority(issuer, authority_key, start, now + AUTHORITY_LIFE)
    files = Certificates(
        folder / "authority.pem", folder / "key.pem", folder / "valid.pem", folder / "expired.pem"
    )
    files.key.touch(mode=0o600)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    files.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    ends = {files.valid: now + CERTIFICATE_LIFE, files.expired: now - RAN_OUT_AGO}
    for path, end in ends.items():
        leaf = _leaf(issuer, authority_key, key, hosts, end)
        path.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    return files


def present(context: ssl.SSLContext, files: Certificates, *, expired: bool) -> None:
    """Let every new connection of a listener see the good or the expired certificate."""
    context.load_cert_chain(files.expired if expired else files.valid, files.key)


def _authority(
    name: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime, end: datetime
) -> x509.Certificate:
    identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), start, end
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(identity, critical=False)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    issuer: x509.Name,
    authority_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    hosts: tuple[str, ...],
    end: datetime,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
    number, start = x509.random_serial_number(), end - CERTIFICATE_LIFE - RAN_OUT_AGO
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), number, start, end)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(signer, critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:  # a name
        return x509.DNSName(host)
