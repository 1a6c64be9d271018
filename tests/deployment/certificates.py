"""A certificate authority for one run of the tests, and a certificate for the hosts of that run."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFE = datetime.timedelta(days=2)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def write(folder: Path, names: list[str]) -> tuple[Path, Path]:
    """Writes the authority's certificate, and key and certificate for `names` in one file; returns both paths."""
    now = datetime.datetime.now(datetime.UTC)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    common = (
        x509.CertificateBuilder().issuer_name(_name("Tests")).not_valid_before(now - LIFE).not_valid_after(now + LIFE)
    )
    authority = (
        common.subject_name(_name("Tests"))
        .public_key(authority_key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        common.subject_name(_name(names[0]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    authority_path, pair_path = folder / "authority.pem", folder / "pair.pem"
    authority_path.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    pair_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return authority_path, pair_path
