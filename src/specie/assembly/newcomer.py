"""A bank that joins draws its keys at home and sends only their public halves (T2).

    folder → keys → request → enrol with the code … approved → certificate, lists, settings

Stopped in between, the same command with the same code goes on: keys that are there stay.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from specie.assembly.ceremony import draw_bank_keys, draw_listen, draw_tls_password
from specie.assembly.folders import KEYS
from specie.assembly.foundation import TLS_PASSWORD, name_signing_keys, open_own_keys
from specie.assembly.joining import compute_enrolment_message, hash_enrolment
from specie.assembly.lists import ROOT_FILE, fetch_lists, load_peers, read_list, write_list
from specie.assembly.own_keys import FIRST_TLS_KEY, OwnKeys
from specie.assembly.service_settings import (
    Keys,
    Listen,
    NetworkSettings,
    ServiceSettings,
    load_settings,
    write_settings,
)
from specie.assembly.tls import build_public_context, pack_key, unpack_key, write_identity
from specie.assembly.tokens import TokenPlace, draw_own_keys, new_key_file
from specie.crypto.secrets import ScanKey, SigningKey
from specie.crypto.signatures import sign, sign_as_institution
from specie.identity.certificates import build_request, verify_chain
from specie.identity.services import ServiceRole
from specie.remote import client_models as clients
from specie.remote import desk_operations as desk
from specie.remote.encoding import CBOR, decode, decode_problem, encode
from specie.remote.institutions import CENTRAL_BANK
from specie.remote.wire import Wire
from specie.store.key_file import KeyFile
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import (
    InstitutionPublicKey,
    PublicKey,
    ServiceName,
    Signature,
)
from specie.values.limits import MESSAGE_BYTES_MAX

_ANSWER_S: Final = 10.0
_REQUEST: Final = "certificate-request"
_NEW: Final = ServiceName("bank-new")  # until the centre gives it a number


@dataclass(slots=True, repr=False)
class Newcomer:
    """One bank that wants to join."""

    folder: Path
    public: Path
    code: bytes
    host: str
    draw_token: Callable[[], TokenPlace | None] = lambda: None  # once, if keys are drawn
    enrolment: clients.Enrolment | None = None
    keys: KeyFile | None = None

    @property
    def digest(self) -> str:
        """Of its keys: read out to the officer who approves."""
        assert self.enrolment is not None, "prepared before"
        return hash_enrolment(self.enrolment)

    def prepare(self, passphrase: str) -> None:
        """Keys and request, drawn once."""
        path = self.folder / KEYS
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            place = self.draw_token()
            self._describe(place)
            self._draw(passphrase, place)
        settings = load_settings(self.folder)
        with closing(open_own_keys(self.folder, settings, passphrase)) as own:
            self.keys = own.file
            self.enrolment = self._build(own, settings.listen)

    def _describe(self, place: TokenPlace | None) -> None:
        """Where it will be reached and where its keys are; nobody knows of it before it enrols."""
        peers = load_peers(self.public, None)
        url = peers.services.get(CENTRAL_BANK).public_url
        settings = ServiceSettings(
            service=_NEW,
            network=NetworkSettings(id=peers.network.hex(), lists=url),
            listen=draw_listen(self.host),
            keys=place.describe() if place is not None else Keys(),
        )
        write_settings(self.folder, settings)

    def _draw(self, passphrase: str, place: TokenPlace | None) -> None:
        """All of them, or none."""
        path = self.folder / KEYS
        with new_key_file(path, passphrase) as keys, closing(draw_own_keys(keys, place)) as own:
            own.draw_signer(name_signing_keys(ServiceRole.BANK))
            draw_bank_keys(own)
            key = ec.generate_private_key(ec.SECP256R1())
            draw_tls_password(keys)
            keys.put_secret(FIRST_TLS_KEY, pack_key(key))
            keys.put_secret(_REQUEST, build_request(_NEW, key))

    def wait(self, seconds: float) -> int:
        """Enrol, and wait for the approval; gives the bank's number."""
        end = time.monotonic() + seconds
        while (answer := self._enrol()).state != "approved":
            if time.monotonic() > end:
                raise SpecieError(ErrorCode.APPROVALS_MISSING, "no officer has approved it yet")
            time.sleep(0.5)
        self._finish(answer)
        return answer.number

    def _build(self, own: OwnKeys, listen: Listen) -> clients.Enrolment:
        keys = own.file
        scan = keys.get("scan", ScanKey.unseal)
        attestation = keys.get("attestation", SigningKey.unseal)
        institution = own.get_signer(name_signing_keys(ServiceRole.BANK))
        draft = clients.Enrolment(
            code=self.code,
            request=keys.get_secret(_REQUEST),
            url=f"https://{listen.institutions}",
            public_url=f"https://{listen.public}",
            scan_key=PublicKey(scan.public),
            attestation_key=PublicKey(attestation.public),
            institution_key=InstitutionPublicKey(institution.public),
            attestation_proof=Signature(bytes(64)),
            institution_proof=Signature(bytes(64)),
        )
        message = compute_enrolment_message(draft, load_peers(self.public, None).network)
        proofs = {
            "attestation_proof": sign(attestation, message),
            "institution_proof": sign_as_institution(institution, message),
        }
        return draft.model_copy(update=proofs)

    def _enrol(self) -> clients.Enrolled:
        assert self.enrolment is not None, "prepared before"
        url = load_settings(self.folder).network.lists
        context = build_public_context(self.public / ROOT_FILE)
        wire = Wire(context, _ANSWER_S)
        headers = {"content-type": CBOR, "accept": CBOR}
        body, place = encode(self.enrolment, CBOR), url + desk.ENROL.path
        try:
            with closing(wire):
                answer = wire.ask("POST", place, MESSAGE_BYTES_MAX, body, headers)
        except SpecieError as error:
            raise SpecieError(error.code, f"{url}: no answer ({error.message})") from None
        if answer.status != 200:
            raise decode_problem(answer.data)
        return decode(answer.data, CBOR, clients.Enrolled)

    def _finish(self, answer: clients.Enrolled) -> None:
        assert self.enrolment is not None, "prepared before"
        root = read_list(self.public, ROOT_FILE)
        write_list(self.folder, ROOT_FILE, root)
        draft = load_settings(self.folder)
        context = build_public_context(self.folder / ROOT_FILE)
        fetch_lists(draft.network.lists, self.folder, draft.network_id, context)
        request = x509.load_pem_x509_csr(self.enrolment.request)
        public = request.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey), "drawn here"
        verify_chain(answer.chain, x509.load_pem_x509_certificate(root), public)
        assert self.keys is not None, "prepared before"
        key = unpack_key(self.keys.get_secret(FIRST_TLS_KEY))
        password = self.keys.get_secret(TLS_PASSWORD)
        write_identity(self.folder, key, password, answer.chain)
        settings = draft.model_copy(update={"service": f"bank-{answer.number}"})
        write_settings(self.folder, settings)
