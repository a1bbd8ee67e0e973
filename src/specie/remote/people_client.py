"""A client's own bank for everything but money, as its device, or a signatory's, reaches it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specie.bank.applications import TRANSIT_AAD, compute_transit_info
from specie.bank.openings import OpeningRequest, sign_opening
from specie.crypto.addresses import Address
from specie.crypto.hashing import tagged_hash
from specie.crypto.secrets import InstitutionSigner
from specie.crypto.transit import derive_transit_sealing, draw_transit_secret, seal_for
from specie.ledger.records import Output
from specie.ports.onboarding import Person
from specie.remote import loss_models as losses
from specie.remote import onboarding_models as onboarding
from specie.remote import people_operations as people
from specie.remote import signatory_models as signatories
from specie.remote.fields import Empty
from specie.remote.serving_bank import Serving
from specie.tokens.holdings import HolderKeys
from specie.values.identifiers import (
    Digest,
    InstitutionPublicKey,
    OutputRef,
    Signature,
)
from specie.values.limits import PAGE_ITEMS_MAX
from specie.values.times import Timestamp


@dataclass(frozen=True, slots=True, repr=False)
class LostPart:
    """A page of a lost wallet: outputs, and which of them wait until when."""

    outputs: Sequence[Output]
    held: dict[OutputRef, Timestamp]


class PeopleClient(Serving):
    """What people ask their bank for besides paying."""

    def apply(
        self, secret: bytes, person: Person, tier: str, keys: HolderKeys, device: InstitutionSigner
    ) -> onboarding.AccountAnswer:
        """With the view key for this bank alone; again gives how far it has come."""
        transit = self._channel.call(self.name, people.GET_TRANSIT_KEY, Empty()).key
        request = build_account_request(
            OpeningRequest(
                self._channel.peers.network,
                self.number,
                tagged_hash("code", secret),
                keys.address,
                InstitutionPublicKey(device.public),
            ),
            (secret, person, tier),
            keys,
            device,
            transit,
        )
        return self._channel.call(self.name, people.APPLY_ACCOUNT, request)

    def ask_application(self, secret: bytes) -> onboarding.AccountAnswer:
        """What became of it."""
        request = onboarding.AccountQuery(id=secret)
        return self._channel.call(self.name, people.ASK_ACCOUNT, request)

    def close(self) -> None:
        """Our account, for good; `account_not_empty` says what is left."""
        self._channel.call(self.name, people.CLOSE_ACCOUNT, Empty())

    def set_loss_code(self, code: bytes) -> None:
        """The bank learns its hash only."""
        request = losses.LossCode(code_hash=tagged_hash("code", code))
        self._channel.call(self.name, people.SET_LOSS_CODE, request)

    def report_loss(self, code: bytes) -> None:
        """From any device."""
        self._channel.call(self.name, people.REPORT_LOSS, losses.LossReport(code=code))

    def keep_share(self, share: str) -> None:
        """For the bank to give back to a new device of ours."""
        self._channel.call(self.name, people.KEEP_SHARE, losses.PhraseShare(share=share))

    def get_share(self) -> str:
        """What we left there."""
        return self._channel.call(self.name, people.GET_SHARE, Empty()).share

    def iterate_lost(self, address: Address) -> Iterator[LostPart]:
        """Page by page; `client_unknown` if no wallet of ours at this address was lost."""
        start, is_more = 0, True
        while is_more:
            request = losses.LostQuery(
                bank=address.bank, view=address.view, spend=address.spend, start=start
            )
            page = self._channel.call(self.name, people.LIST_LOST_OUTPUTS, request)
            held = {one.ref: one.until for one in page.held}
            yield LostPart([Output(one) for one in page.outputs], held)
            start, is_more = start + PAGE_ITEMS_MAX, page.is_more

    def certify(self, request: bytes) -> bytes:
        """A chain, PEM."""
        asked = losses.DeviceRequest(request=request)
        return self._channel.call(self.name, people.CERTIFY_DEVICE, asked).chain

    def enrol_signatory(
        self, code: bytes, device: InstitutionPublicKey, proof: Signature
    ) -> signatories.SignatoryEnrolled:
        """For whom we sign from now on."""
        request = signatories.SignatoryEnrolment(code=code, device=device, proof=proof)
        return self._channel.call(self.name, people.ENROL_SIGNATORY, request)

    def list_approvals(self) -> Sequence[signatories.SubjectMessage]:
        """What waits for us, as the bank shows it."""
        return self._channel.call(self.name, people.LIST_SUBJECTS, Empty()).subjects

    def vote(self, digest: Digest, signature: Signature, *, is_yes: bool) -> str:
        """Gives what the votes say now."""
        request = signatories.SignatoryVote(digest=digest, is_yes=is_yes, signature=signature)
        return self._channel.call(self.name, people.VOTE, request).outcome


def build_account_request(
    opening: OpeningRequest,
    told: tuple[bytes, Person, str],
    keys: HolderKeys,
    device: InstitutionSigner,
    transit: bytes,
) -> onboarding.AccountRequest:
    """On the device: proofs, and the view key sealed so that this bank alone can open it."""
    secret, person, tier = told
    proofs = sign_opening(opening, keys.spend, device)
    under = draw_transit_secret()
    info = compute_transit_info(opening.network, opening.bank, opening.code_hash)
    return onboarding.AccountRequest(
        id=secret,
        name=person.name,
        phone=person.phone,
        data=dict(person.data),
        tier=tier,
        view=keys.address.view,
        spend=keys.address.spend,
        device=opening.device,
        sealed_view=keys.view.seal(derive_transit_sealing(under), TRANSIT_AAD),
        sealed_secret=seal_for(transit, under, info),
        spend_proof=proofs.spend,
        device_proof=proofs.device,
    )
