"""The directory over the network: as a bank asks it, as a device asks its bank, what it asks."""

from specie.directory.answers import RecordedEntry
from specie.directory.entries import SignedEntry
from specie.ledger.directory_leaves import LeafPromise
from specie.log.leaves import DirectoryLeaf
from specie.log.tree import compute_leaf_hash
from specie.ports.directory import Located
from specie.remote import directory_models as models
from specie.remote import directory_operations as operations
from specie.remote.channel import Channel
from specie.remote.institutions import CENTRAL_BANK, NOTARY, REGISTRATION
from specie.remote.serving_bank import Serving
from specie.values.identifiers import ParticipantNumber, PublicKey
from specie.values.phones import PhoneNumber


class RemoteDirectory:
    """`DirectoryPort` for a bank; which bank asks is in the signature."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def locate(self, bank: ParticipantNumber, phone: PhoneNumber, spend: PublicKey) -> Located:
        """For a number that the bank has confirmed; `order_conflict` if it is another's."""
        del bank
        request = models.Location(phone=phone, spend=spend)
        return self._channel.call(CENTRAL_BANK, operations.LOCATE_PHONE, request).unwrap()

    def put(
        self, bank: ParticipantNumber, phone: PhoneNumber, signed: SignedEntry
    ) -> RecordedEntry:
        """Durable, and promised to be in the log; the same entry again gives the same."""
        del bank
        request = models.PutEntry.wrap_entry(phone, signed)
        return self._channel.call(CENTRAL_BANK, operations.PUT_ENTRY, request).unwrap()

    def look_up(self, bank: ParticipantNumber, phone: PhoneNumber) -> bytes:
        """An answer of one size, whatever is found."""
        del bank
        request = models.PhoneQuery(phone=phone)
        return self._channel.call(CENTRAL_BANK, operations.LOOK_UP_PHONE, request).answer


class RemoteDirectoryLog:
    """`DirectoryLog` for the central bank's desk."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def record_leaf(self, leaf: DirectoryLeaf) -> LeafPromise:
        """Durable, and in the log by then; the same leaf again gives the same promise."""
        request = models.LeafMessage(leaf=leaf.pack())
        return self._channel.call(NOTARY, operations.RECORD_LEAF, request).unwrap()

    def prove_leaf(self, leaf: DirectoryLeaf) -> str:
        """A receipt; `not_published` while it is promised only."""
        request = models.LeafQuery(leaf_hash=compute_leaf_hash(leaf.pack()))
        return self._channel.call(REGISTRATION, operations.PROVE_ENTRY, request).note


class ServingDirectory(Serving):
    """What a device asks its own bank; its client's name is in the signature."""

    def locate(self, phone: PhoneNumber, former: PublicKey | None) -> tuple[Located, str]:
        """Where our own number stands, and the name that we may show."""
        request = models.OwnLocation(phone=phone, former=former)
        answer = self._channel.call(self.name, operations.LOCATE_OWN_PHONE, request)
        return answer.unwrap(), answer.name

    def put(self, phone: PhoneNumber, signed: SignedEntry) -> RecordedEntry:
        """Our entry; the same again is the same."""
        request = models.PutEntry.wrap_entry(phone, signed)
        return self._channel.call(self.name, operations.PUT_OWN_ENTRY, request).unwrap()

    def find(self, phone: PhoneNumber) -> bytes:
        """Somebody's; of one size, whatever is found."""
        request = models.PhoneQuery(phone=phone)
        return self._channel.call(self.name, operations.FIND_PHONE, request).answer
