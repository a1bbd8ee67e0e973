"""A folder with a service's certificate, key and root: TLS as processes have it."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from specie.assembly.system import SystemClock
from specie.assembly.tls import ROOT, write_identity
from specie.identity.certificates import Issuer, create_intermediate, create_root, issue_certificate
from specie.values.identifiers import NetworkId, ServiceName

PASSWORD = b"x" * 32


def write_certified(folder: Path, name: ServiceName, network: NetworkId) -> x509.Certificate:
    """From a root that is made for it; for 127.0.0.1."""
    now = SystemClock().now()
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    root = create_root("test", keys[0], now)
    middle = create_intermediate("test", keys[1].public_key(), Issuer(root, keys[0]), now)
    issuer = Issuer(middle, keys[1])
    leaf = issue_certificate(name, network, ["127.0.0.1"], keys[2].public_key(), issuer, now)
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in (leaf, middle))
    write_identity(folder, keys[2], PASSWORD, chain)
    (folder / ROOT).write_bytes(root.public_bytes(Encoding.PEM))
    return leaf
