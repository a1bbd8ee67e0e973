"""A bank vouches for its client's name, to one payee, for one payment (T9).

Only the client itself asks, and only for the name that it is registered under: a bank never tells
anybody else, and signs no other name. It learns nothing that the payment would not tell it.
"""

from dataclasses import dataclass

from specie.crypto.addresses import Address
from specie.crypto.secrets import InstitutionSigner
from specie.ports.clients import Client, ClientStatus
from specie.tokens.name_claims import NameClaim, cut_name, sign_claim
from specie.values.amounts import Minor, check_positive
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId, OrderId, ParticipantNumber, Signature


@dataclass(frozen=True, slots=True, repr=False)
class NamedPayment:
    """The payment that a name is shown with."""

    payee: Address
    amount: Minor
    order: OrderId
    end_to_end_id: bytes


@dataclass(frozen=True, slots=True, repr=False)
class NameSigner:
    """With the institution's key."""

    number: ParticipantNumber
    network: NetworkId
    key: InstitutionSigner

    def vouch(self, client: Client, payment: NamedPayment) -> tuple[str, Signature]:
        """The name and our signature; `client_blocked` for whom we attest nothing."""
        if client.status is not ClientStatus.GOOD:
            raise SpecieError(ErrorCode.CLIENT_BLOCKED, "a client is blocked")
        name = cut_name(client.name)
        claim = NameClaim(
            network=self.network,
            payee=payment.payee,
            amount=check_positive(payment.amount),
            order=payment.order,
            end_to_end_id=payment.end_to_end_id,
            name=name,
        )
        return name, sign_claim(claim, self.number, self.key)
