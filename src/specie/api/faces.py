"""What each process offers: every operation of its role, tied to what carries it out."""

from collections.abc import Sequence
from typing import Final

from specie.api.bank_face import offer_bank
from specie.api.desk_face import offer_desk
from specie.api.directory_face import (
    offer_bank_directory,
    offer_desk_directory,
    offer_notary_directory,
    offer_registration_directory,
)
from specie.api.gate import Asking, Offer
from specie.api.list_pages import build_list_pages, build_mirror_pages
from specie.api.pages import Served
from specie.api.site import Site
from specie.assembly.bank_process import BankProcess
from specie.assembly.central_processes import (
    AccountingProcess,
    AuditorProcess,
    NotaryProcess,
    RegistrationProcess,
)
from specie.assembly.desk_process import DeskProcess
from specie.assembly.foundation import Process
from specie.ledger.transactions import Promise
from specie.remote import accounting_operations as accounting
from specie.remote import bank_models, models
from specie.remote import notary_operations as notary
from specie.remote import registration_operations as registration
from specie.remote.fields import Empty
from specie.values.amounts import check_positive
from specie.values.errors import SpecieError, SpentError
from specie.values.identifiers import ServiceName

_PAGE_BYTES: Final = 4 * 1024 * 1024
_NOTHING: Final = Empty()


def list_offers(process: Process) -> Sequence[Offer]:
    """By the process' kind."""
    match process:
        case NotaryProcess():
            return (*offer_notary(process), *offer_notary_directory(process))
        case AccountingProcess():
            return offer_accounting(process)
        case DeskProcess():
            return (*offer_desk(process), *offer_desk_directory(process))
        case BankProcess():
            return (*offer_bank(process), *offer_bank_directory(process))
        case RegistrationProcess():
            return (*offer_registration(process), *offer_registration_directory(process))
        case AuditorProcess():
            return offer_auditor(process)
        case _:
            raise AssertionError("every process has a face")


def list_pages(process: Process) -> Sequence[Served]:
    """What is read by people and by anybody's programs, beside the operations."""
    if isinstance(process, DeskProcess):
        return build_list_pages(process)
    if isinstance(process, BankProcess):
        return build_mirror_pages(process)
    if isinstance(process, RegistrationProcess):
        return Site(process).build_pages()
    return ()


# --- notary --------------------------------------------------------------------------------------


def offer_notary(process: NotaryProcess) -> Sequence[Offer]:
    """To banks and the central bank; leaves and batches to who watches."""
    service = process.notary

    def notarise(asking: Asking, request: models.Submission) -> models.Outcomes:
        outcomes = service.notarise_many(request.transactions, asking.name)
        process.spans.remember([one.txid for one in outcomes if isinstance(one, Promise)])
        return models.Outcomes(outcomes=[_wrap_outcome(one) for one in outcomes])

    def find_promise(_: Asking, request: models.TransactionQuery) -> models.FoundPromise:
        return _wrap_promise(service.find_promise(request.txid))

    def find_void(_: Asking, request: models.TransactionQuery) -> models.FoundPromise:
        found = service.find_void(request.txid)
        return models.FoundPromise(promise=models.PromiseMessage.wrap(found) if found else None)

    def void(_: Asking, request: models.VoidMessage) -> models.PromiseMessage:
        return models.PromiseMessage.wrap(service.void(request.data, request.signature))

    def get_supply(_: Asking, _request: Empty) -> models.SupplyMessage:
        return models.SupplyMessage.wrap(service.get_supply())

    def get_publication(_: Asking, _request: Empty) -> models.Publication:
        time, missing = service.get_published_time(), service.count_missing()
        return models.Publication(time=time, missing=missing, is_due=service.is_due())

    def list_leaves(_: Asking, request: models.LeavesQuery) -> models.Leaves:
        found, size = service.list_published(request.start, request.limit)
        return models.Leaves(leaves=_cut_page(found), size=size)

    def get_checkpoint(_: Asking, _request: Empty) -> models.NoteMessage:
        return models.NoteMessage(note=process.log.find_checkpoint() or "")

    def read_batch(_: Asking, request: models.ChunkQuery) -> models.Chunk:
        return _cut_chunk(process.archive.read(request.number), request.offset)

    return (
        (notary.NOTARISE, notarise),
        (notary.FIND_PROMISE, find_promise),
        (notary.FIND_VOID, find_void),
        (notary.VOID, void),
        (notary.GET_SUPPLY, get_supply),
        (notary.GET_PUBLICATION, get_publication),
        (notary.LIST_LEAVES, list_leaves),
        (notary.GET_CHECKPOINT, get_checkpoint),
        (notary.READ_BATCH, read_batch),
    )


# --- accounting ----------------------------------------------------------------------------------


def offer_accounting(process: AccountingProcess) -> Sequence[Offer]:
    """To the central bank's desk alone."""
    return (*_offer_issues(process), *_offer_redemptions(process), *_offer_reserves(process))


def _offer_issues(process: AccountingProcess) -> Sequence[Offer]:
    books = process.accounting

    def debit(_: Asking, one: models.Debit) -> models.ReserveMessage:
        reference = books.debit_for_issue(one.entry, one.participant, one.amount)
        return models.ReserveMessage(reference=reference.pack())

    def complete(_: Asking, one: models.Completion) -> Empty:
        books.complete_issue(one.entry, one.promise.unwrap())
        return _NOTHING

    def is_over(_: Asking, one: models.EntryAge) -> models.Answer:
        return models.Answer(is_true=books.is_issue_over(one.entry, one.published))

    def release(_: Asking, one: models.EntryAge) -> Empty:
        books.release_issue(one.entry, one.published)
        return _NOTHING

    return (
        (accounting.DEBIT_FOR_ISSUE, debit),
        (accounting.COMPLETE_ISSUE, complete),
        (accounting.IS_ISSUE_OVER, is_over),
        (accounting.RELEASE_ISSUE, release),
    )


def _offer_redemptions(process: AccountingProcess) -> Sequence[Offer]:
    books = process.accounting

    def hold(_: Asking, one: models.Holding) -> Empty:
        books.hold_redemption(one.entry, one.amount)
        return _NOTHING

    def release(_: Asking, one: models.EntryQuery) -> Empty:
        books.release_redemption(one.entry)
        return _NOTHING

    def credit(_: Asking, one: models.Credit) -> Empty:
        books.credit_for_redemption(one.participant, one.amount, one.promise.unwrap())
        return _NOTHING

    return (
        (accounting.HOLD_REDEMPTION, hold),
        (accounting.RELEASE_REDEMPTION, release),
        (accounting.CREDIT_FOR_REDEMPTION, credit),
    )


def _offer_reserves(process: AccountingProcess) -> Sequence[Offer]:
    books = process.accounting

    def open_reserves(_: Asking, one: models.Account) -> Empty:
        books.open_reserves(one.participant)
        return _NOTHING

    def lend(_: Asking, one: models.Debit) -> Empty:
        books.lend(one.entry, one.participant, check_positive(one.amount))
        return _NOTHING

    def get_reserves(_: Asking, one: models.Account) -> models.Balance:
        return models.Balance(amount=books.get_reserves(one.participant))

    def count_backing(_: Asking, _request: Empty) -> models.Backing:
        fund, in_transit = books.count_backing()
        return models.Backing(fund=fund, in_transit=in_transit)

    return (
        (accounting.OPEN_RESERVES, open_reserves),
        (accounting.LEND, lend),
        (accounting.GET_RESERVES, get_reserves),
        (accounting.COUNT_BACKING, count_backing),
    )


# --- registration and auditor --------------------------------------------------------------------


def offer_registration(process: RegistrationProcess) -> Sequence[Offer]:
    """To everybody; to a notary or witness what it has signed itself."""

    def prove_time(_: Asking, _request: Empty) -> models.NoteMessage:
        return models.NoteMessage(note=process.registration.prove_time())

    def state_outputs(_: Asking, request: bank_models.StatesQuery) -> bank_models.StateMessage:
        return bank_models.StateMessage.wrap(process.registration.state_outputs(request.refs))

    def find_signed(asking: Asking, _request: Empty) -> models.NoteMessage:
        return models.NoteMessage(note=process.find_signed(ServiceName(asking.name)))

    return (
        (registration.PROVE_TIME, prove_time),
        (registration.STATE_OUTPUTS, state_outputs),
        (registration.FIND_SIGNED, find_signed),
    )


def offer_auditor(process: AuditorProcess) -> Sequence[Offer]:
    """To the registration; to a notary that has lost what was judged here."""

    def audit(_: Asking, request: models.NoteMessage) -> bank_models.SignedLines:
        lines = process.cosign(request.note)
        return bank_models.SignedLines(lines=[one.format() for one in lines])

    def read_judged(_: Asking, request: models.ChunkQuery) -> models.Chunk:
        return _cut_chunk(process.batches.read(request.number), request.offset)

    return ((registration.AUDIT, audit), (registration.READ_JUDGED, read_judged))


def _wrap_outcome(outcome: Promise | SpecieError) -> models.OutcomeMessage:
    if isinstance(outcome, Promise):
        return models.OutcomeMessage(promise=models.PromiseMessage.wrap(outcome))
    evidence = outcome.evidence if isinstance(outcome, SpentError) else b""
    refusal = models.Refusal(code=outcome.code.value, message=outcome.message, evidence=evidence)
    return models.OutcomeMessage(refusal=refusal)


def _wrap_promise(found: Promise | None) -> models.FoundPromise:
    return models.FoundPromise(promise=models.PromiseMessage.wrap(found) if found else None)


def _cut_chunk(data: bytes, offset: int) -> models.Chunk:
    return models.Chunk(data=data[offset : offset + _PAGE_BYTES], total=len(data))


def _cut_page(leaves: Sequence[bytes]) -> list[bytes]:
    """As many as an answer has room for; at least one."""
    page: list[bytes] = []
    size = 0
    for leaf in leaves:
        size += len(leaf)
        if page and size > _PAGE_BYTES:
            break
        page.append(leaf)
    return page
