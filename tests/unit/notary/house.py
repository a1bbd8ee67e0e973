"""A notary of one's own over a copy of the country's ledger, so that each test may break it."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from specie.bank.service import Bank
from specie.crypto.secrets import InstitutionKey
from specie.identity.genesis import sign_genesis
from specie.identity.participants import sign_participants
from specie.identity.roster import Roster
from specie.ledger.records import AttestationRole, Claim
from specie.ledger.transactions import AttestedTransaction
from specie.ledger.wire import encode_attested
from specie.notary.notarisation import NotaryRules
from specie.notary.service import Notary
from specie.store.batch_files import BatchFolder
from specie.store.log_files import LogFolder
from specie.store.notary_store import SqliteNotaryStore
from specie.tokens.building import BuiltTransaction
from specie.tokens.holdings import Token
from specie.values.identifiers import InstitutionPublicKey, NetworkId, PublicKey, Signature
from tests.clocks import ManualClock
from tests.country import Country, Person


@dataclass(slots=True, repr=False)
class House:
    """A notary's key, files and clock."""

    folder: Path
    roster: Roster
    key: InstitutionKey
    clock: ManualClock

    @property
    def public(self) -> Path:
        """Where it publishes."""
        return self.folder / "public"

    @property
    def archive(self) -> BatchFolder:
        """Where it keeps its full batches."""
        return BatchFolder(self.folder / "batches")

    @property
    def rules(self) -> NotaryRules:
        """What it judges by now."""
        return NotaryRules(self.roster.genesis, self.roster.current, self.key)

    def open_store(self) -> SqliteNotaryStore:
        """Its database."""
        return SqliteNotaryStore(self.folder / "notary.db")

    def open_notary(self) -> Notary:
        """Start it, or start it again."""
        log = LogFolder(self.public)
        return Notary(self.roster, self.key, self.open_store(), log, self.clock, self.archive)


def build_house(country: Country, folder: Path) -> House:
    """A new notary takes over a copy of the ledger as it is."""
    source = country.network.settings.data / "notary" / "notary.db"
    with (
        closing(sqlite3.connect(source)) as here,
        closing(sqlite3.connect(folder / "notary.db")) as there,
    ):
        here.backup(there)
    key = InstitutionKey.generate()
    current = country.network.roster.current
    members = replace(
        current, version=current.version + 1, notary_key=InstitutionPublicKey(key.public)
    )
    roster = Roster(
        sign_genesis(country.network.genesis, country.network.list_key),
        sign_participants(members, country.network.list_key),
        country.network.genesis.network,
    )
    return House(folder, roster, key, ManualClock(country.clock.now()))


def attest_unseen(built: BuiltTransaction, banks: Sequence[Bank]) -> AttestedTransaction:
    """Signed by the banks' keys without any of their checks: for what a bank would not sign."""
    attestations = []
    openings = list(enumerate(built.disclosure.openings))
    for place, bank in enumerate(banks):
        attester = bank._keys.attester  # noqa: SLF001  # a bank that signs without looking
        outputs = [index for index, one in openings if one.bank == bank.number]
        inputs = 0 if place else len(built.signed.body.inputs)
        role = AttestationRole.PAYEE if place else AttestationRole.BOTH
        txid = built.signed.txid
        attestations.append(attester.attest(txid, role, inputs, outputs, Claim.CLIENT))
    return AttestedTransaction(built.signed, tuple(attestations))


def spend_unseen(
    country: Country, payer: Person, payee: Person, amount: int, *tokens: Token
) -> tuple[bytes, list[Token]]:
    """A payment within bank 2 from these tokens: encoded, and what the payee will hold."""
    built = country.build(payer, payee, amount, *tokens)
    data = encode_attested(attest_unseen(built, [country.north]))
    return data, list_tokens(built, payee)


def list_tokens(built: BuiltTransaction, owner: Person) -> list[Token]:
    """The outputs of a transaction that are this person's."""
    spend = owner.wallet.keys.address.spend
    pairs = zip(built.signed.body.outputs, built.disclosure.openings, strict=True)
    return [Token(output, opening) for output, opening in pairs if opening.spend == spend]


def break_transaction(attested: AttestedTransaction, what: str) -> AttestedTransaction:
    """One part of a valid transaction made wrong, with all other parts left as they are."""
    signed, body = attested.signed, attested.signed.body
    junk = Signature(bytes(range(63)) + b"\x80")
    if what == "attestation":
        first = replace(attested.attestations[0], signature=junk)
        return replace(attested, attestations=(first, *attested.attestations[1:]))
    if what == "no attestation":
        return replace(attested, attestations=())
    if what == "owner":
        return replace(attested, signed=replace(signed, owner_signatures=(junk,)))
    if what == "kernel":
        kernel = replace(signed.kernels[0], signature=junk)
        return replace(attested, signed=replace(signed, kernels=(kernel,)))
    changed = {
        "network": replace(body, network=NetworkId(bytes(16))),
        "expired": replace(body, not_after=body.not_before),
        "input": replace(body, inputs=(body.outputs[0].ref,)),
        "terms": replace(body, terms=body.terms[::-1]),
        "proof": replace(body, proofs=(body.proofs[1], body.proofs[0])),
    }[what]
    return replace(attested, signed=replace(signed, body=changed))


def get_kernel(attested: AttestedTransaction) -> PublicKey:
    """Its one kernel."""
    return attested.signed.kernels[0].public
