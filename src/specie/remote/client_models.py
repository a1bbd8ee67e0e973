"""What a client's device and its bank say to each other, and an operator to its own institution."""

from typing import Annotated

from pydantic import Field

from specie.ledger.records import Output
from specie.remote.acting import Tracked
from specie.remote.fields import (
    AmountField,
    BytesField,
    ClientField,
    CodeField,
    CoreAccountField,
    CountField,
    InstitutionKeyField,
    Message,
    NameField,
    OrderField,
    ParticipantField,
    PointField,
    RefField,
    SignatureField,
    Since,
    TextField,
    TimeField,
)
from specie.remote.models import PromiseMessage
from specie.values.limits import CLAIMS_MAX, PAGE_ITEMS_MAX


class Opening(Message):
    """A device opens its wallet with the code that the bank gave its holder, once.

    At the successor of a bank that is lost it names that bank. Address and device key are shown to
    be its own (`bank/openings.py`).
    """

    code: CodeField
    view: PointField
    spend: PointField
    sealed_view: BytesField  # the view key, sealed under the code
    device: InstitutionKeyField  # Ed25519: signs what the device asks for
    spend_proof: SignatureField  # Schnorr, by the address's spend key
    device_proof: SignatureField  # Ed25519, by the device's key
    bank: ParticipantField | None = None  # of the address, if it is not the bank that is asked


class Claims(Message):
    """Tokens of a lost bank: output ‖ opening of each."""

    tokens: Annotated[list[BytesField], Field(min_length=1, max_length=CLAIMS_MAX)]


class Claimed(Message):
    """How many of them the bank serves now; the others are spent, or not in the log yet."""

    served: CountField


class Opened(Message):
    """The client's id at this bank."""

    client: ClientField


class Outputs(Message):
    """Public bytes of outputs."""

    outputs: list[BytesField]

    def unwrap(self) -> list[Output]:
        """Decoded; the device checks that they are its own."""
        return [Output(one) for one in self.outputs]


class References(Message):
    """Outputs that the device has recorded."""

    refs: Annotated[list[RefField], Field(min_length=1, max_length=PAGE_ITEMS_MAX)]


class Amount(Message):
    """An order with an amount."""

    order: OrderField
    amount: AmountField


class Standing(Message):
    """A client's account at its bank."""

    deposit: AmountField
    status: TextField
    account: Annotated[TextField | None, Since(2)] = None  # at the bank's core system, if linked
    holding_limit: Annotated[AmountField | None, Since(2)] = None  # of what is on the device
    payment_limit: Annotated[AmountField | None, Since(2)] = None  # of one payment
    waterfall: Annotated[bool | None, Since(2)] = None  # over the limit → deposit; left out if off
    reverse_waterfall: Annotated[bool | None, Since(2)] = None  # missing at a payment ← deposit


class Waterfall(Message):
    """What the client has its device do by itself, and the limits that it keeps."""

    waterfall: bool
    reverse_waterfall: bool
    holding_limit: AmountField | None = None
    payment_limit: AmountField | None = None


class Switching(Message):
    """What is switched; the other stays as it is."""

    waterfall: bool | None = None
    reverse_waterfall: bool | None = None


class Linking(Message):
    """A client's account at the core system; the only one it knows, if none is named."""

    account: CoreAccountField | None = None


class ClientLinking(Tracked):
    """The same, by the bank's operator."""

    client: ClientField
    account: CoreAccountField | None = None


class Linked(Message):
    """Which account it is now."""

    account: CoreAccountField


class MovementMessage(Message):
    """One side of a payment, for its client."""

    txid: BytesField
    amount: AmountField
    time: TimeField
    is_incoming: bool
    is_final: bool


class Movements(Message):
    """Oldest first, a page."""

    movements: list[MovementMessage]


class MovementsQuery(Message):
    """A page of one's own payments."""

    start: CountField = 0
    limit: Annotated[int, Field(ge=1, le=PAGE_ITEMS_MAX)] = 100


class Settled(Message):
    """The notary's word for an order."""

    promise: PromiseMessage


# --- operators, on their own institution's machine -----------------------------------------------


class Invitation(Tracked):
    """A person whom the bank has identified."""

    client: ClientField
    name: NameField


class Code(Message):
    """Good for one opening."""

    code: CodeField


class ClientOrder(Message):
    """An amount for a client of this bank."""

    order: OrderField
    client: ClientField
    amount: AmountField


class TransferOrder(Message):
    """Vault money for another bank."""

    order: OrderField
    receiver: ParticipantField
    amount: AmountField


class ClientQuery(Tracked):
    """About one client."""

    client: ClientField


class Facts(Message):
    """For people: names and values."""

    facts: dict[str, int | str]


class Enrolment(Message):
    """A new institution asks for its place: a certificate request, its keys, and proof of each."""

    code: CodeField
    request: BytesField  # PEM
    url: TextField
    public_url: TextField
    scan_key: PointField
    attestation_key: PointField
    institution_key: InstitutionKeyField
    attestation_proof: SignatureField  # Schnorr over the enrolment's message
    institution_proof: SignatureField  # Ed25519 over the same


class Enrolled(Message):
    """How far it has come; the chain (PEM) once it is approved."""

    state: TextField
    number: CountField = 0
    chain: BytesField = b""


class Waiting(Message):
    """Who has enrolled and waits for an officer's approval."""

    waiting: list[Facts]


class Renewal(Message):
    """A certificate request of a service that is in the list already."""

    request: BytesField  # PEM


class Chain(Message):
    """A certificate with its issuer's behind it, PEM."""

    chain: BytesField


class SuccessionClient(Message):
    """One of them."""

    client: ClientField
    bank: ParticipantField
    view: PointField
    spend: PointField
    status: TextField
    sealed_name: BytesField
    sealed_view: BytesField
    tokens: list[BytesField]
    device: BytesField  # public key of the device, if one is known
    sealed_rule: Annotated[BytesField, Since(2)] = b""  # who signs for the client together
    returns: Annotated[list[BytesField], Since(2)] = Field(default_factory=list)  # for refunds
    sealed_standing: Annotated[BytesField, Since(2)] = b""  # tier, and the order that freezes


class Passphrase(Tracked):
    """Of a file that goes to a successor."""

    passphrase: TextField


class Succession(Message):
    """A bank's clients, sealed under the passphrase."""

    salt: CodeField
    clients: list[SuccessionClient]
    seal: Annotated[BytesField, Since(2)] = b""  # of all of it; what has none is not taken over


class SuccessionImport(Tracked):
    """The same, and what opens it."""

    passphrase: TextField
    succession: Succession
