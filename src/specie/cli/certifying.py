"""A device's certificate: its key never leaves the device, its bank asks for it (T25)."""

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from specie.cli.places import Site
from specie.crypto.secrets import SealingKey, open_sealed
from specie.identity.certificates import verify_chain
from specie.identity.device_certificates import build_device_request, is_due
from specie.remote.people_client import PeopleClient
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.times import Timestamp

_NOTE = "certificate"
_AAD = b"device-certificate-key\0"


def get_certificate(
    site: Site, people: PeopleClient, root: x509.Certificate, now: Timestamp
) -> bytes:
    """The chain, PEM: the one that is here, or a new one when a third of its life is left.

    A new certificate is for a new key, durable before the bank hears of it; so it is at a new bank.
    """
    key, place = site.device.opened.vault_key, site.current
    note = site.notes.find(_NOTE)
    if note is not None and note["place"] != place:
        note = None
    if note is not None and note.get("chain"):
        chain = str(note["chain"]).encode()
        if not is_due(x509.load_pem_x509_certificate(chain), now):
            return chain
        note = None
    if note is None:
        note = {"key": _draw(key).hex(), "place": place}
        site.notes.put(_NOTE, note)
    private = _open(key, note)
    try:
        chain = people.certify(build_device_request(private))
    except SpecieError as error:
        if error.code is ErrorCode.CERTIFICATE_INVALID:
            site.notes.remove(_NOTE)  # this key has ended: the next time draws another
        raise
    verify_chain(chain, root, private.public_key())
    site.notes.put(_NOTE, {**note, "chain": chain.decode()})
    return chain


def open_device_key(site: Site) -> ec.EllipticCurvePrivateKey | None:
    """For sessions with other devices; None before there is a certificate."""
    note = site.notes.find(_NOTE)
    return None if note is None else _open(site.device.opened.vault_key, note)


def _draw(key: SealingKey) -> bytes:
    private = ec.generate_private_key(ec.SECP256R1())
    plain = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return key.seal(plain, _AAD)


def _open(key: SealingKey, note: dict[str, Any]) -> ec.EllipticCurvePrivateKey:
    plain = open_sealed(key, bytes.fromhex(note["key"]), _AAD)
    private = load_der_private_key(plain, password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey), "drawn here"
    return private
