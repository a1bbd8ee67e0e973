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
    site: Site, place: int, people: PeopleClient, root: x509.Certificate, now: Timestamp
) -> bytes:
    """The chain, PEM: the one that is here, or a new one when a third of its life is left.

    A new certificate is for a new key, durable before the bank hears of it; each sub-wallet's bank
    certifies one of its own.
    """
    key, name = site.device.opened.vault_key, _name_note(place)
    note = _find(site, place)
    if note is not None and note.get("chain"):
        chain = str(note["chain"]).encode()
        if not is_due(x509.load_pem_x509_certificate(chain), now):
            return chain
        note = None
    if note is None:
        note = {"key": _draw(key).hex(), "place": place}
        site.notes.put(name, note)
    private = _open(key, note)
    try:
        chain = people.certify(build_device_request(private))
    except SpecieError as error:
        if error.code is ErrorCode.CERTIFICATE_INVALID:
            is_old = site.notes.find(name) is None
            site.notes.remove(_NOTE if is_old else name)  # it has ended: another one the next time
        raise
    verify_chain(chain, root, private.public_key())
    site.notes.put(name, {**note, "chain": chain.decode()})
    return chain


def open_device_key(site: Site) -> ec.EllipticCurvePrivateKey | None:
    """For sessions with other devices; None before there is a certificate."""
    note = _find(site, site.current)
    return None if note is None else _open(site.device.opened.vault_key, note)


def _name_note(place: int) -> str:
    return f"{_NOTE} {place}"


def _find(site: Site, place: int) -> dict[str, Any] | None:
    """Of this sub-wallet; before there was one for each, a device had one, which said whose."""
    note = site.notes.find(_name_note(place)) or site.notes.find(_NOTE)
    return note if note is not None and note["place"] == place else None


def _draw(key: SealingKey) -> bytes:
    private = ec.generate_private_key(ec.SECP256R1())
    plain = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return key.seal(plain, _AAD)


def _open(key: SealingKey, note: dict[str, Any]) -> ec.EllipticCurvePrivateKey:
    plain = open_sealed(key, bytes.fromhex(note["key"]), _AAD)
    private = load_der_private_key(plain, password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey), "drawn here"
    return private
