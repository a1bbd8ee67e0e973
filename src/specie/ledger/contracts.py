"""Contracts: which checks hold for which transaction, in order, to be read top-down.

The first broken rule gives the code. Checks of form come first, then the ledger's state, then
signatures of institutions; proofs and Schnorr signatures are verified last, for a whole batch
at once (`ledger/statements.py`).
"""

from typing import Final

from specie.ledger.checks import (
    Check,
    ContractContext,
    check_attestation_form,
    check_attesters_active,
    check_inputs_attested,
    check_inputs_distinct,
    check_inputs_known,
    check_inputs_present,
    check_inputs_unspent,
    check_kernels_new,
    check_network,
    check_not_early,
    check_not_late,
    check_not_void,
    check_outputs_attested,
    check_outputs_distinct,
    check_outputs_new,
    check_points_sound,
    check_range_cover,
    check_terms,
    check_terms_are_cash,
    check_window,
)
from specie.ledger.supply_checks import (
    check_authorisations_enough,
    check_authorisations_signed,
    check_cap,
    check_reserve_fits,
    check_reserve_fresh,
    check_reserve_signed,
    check_serial,
    check_supply_between_institutions,
    check_supply_unchanged,
    check_total,
)
from specie.ledger.transactions import AttestedTransaction

_TIME: Final[tuple[Check, ...]] = (
    check_not_early,
    check_not_late,
)

_FORM: Final[tuple[Check, ...]] = (
    check_network,
    check_window,
    *_TIME,
    check_inputs_present,
    check_inputs_distinct,
    check_outputs_distinct,
    check_terms,
    check_terms_are_cash,
    check_range_cover,
)

_STATE: Final[tuple[Check, ...]] = (
    check_not_void,
    check_inputs_known,
    check_inputs_unspent,
    check_outputs_new,
    check_kernels_new,
)

_ATTESTATION: Final[tuple[Check, ...]] = (
    check_attestation_form,
    check_attesters_active,
    check_inputs_attested,
    check_outputs_attested,
)

_CASH_FORM: Final[tuple[Check, ...]] = (*_FORM, check_supply_unchanged)

_SUPPLY_FORM: Final[tuple[Check, ...]] = (*_FORM, check_authorisations_enough)

_SUPPLY: Final[tuple[Check, ...]] = (
    check_supply_between_institutions,
    check_serial,
    check_total,
    check_cap,
    check_reserve_fits,
    check_reserve_fresh,
    check_reserve_signed,
    check_authorisations_signed,
)

CASH_CONTRACT: Final[tuple[Check, ...]] = (
    *_CASH_FORM,
    check_points_sound,
    *_STATE,
    *_ATTESTATION,
)

SUPPLY_CONTRACT: Final[tuple[Check, ...]] = (
    *_SUPPLY_FORM,
    check_points_sound,
    *_STATE,
    *_ATTESTATION,
    *_SUPPLY,
)


def get_contract(transaction: AttestedTransaction) -> tuple[Check, ...]:
    """Cash that changes the supply stands under the supply's contract as well."""
    return SUPPLY_CONTRACT if transaction.body.supply_change else CASH_CONTRACT


def check_form(transaction: AttestedTransaction, context: ContractContext) -> None:
    """The contract's first part, which does not ask the ledger: what it refuses stays refused.

    `check_points_sound` is its end, and the only one that takes long: a batch does it together.
    """
    for check in _SUPPLY_FORM if transaction.body.supply_change else _CASH_FORM:
        check(transaction, context)


def check_timely(transaction: AttestedTransaction, context: ContractContext) -> None:
    """The part of the form that is not for good: once more at the time that is recorded."""
    for check in _TIME:
        check(transaction, context)


def check_attested(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Attestations, as long as the same participant list is in force: outputs never change."""
    for check in _ATTESTATION:
        check(transaction, context)


def check_standing(
    transaction: AttestedTransaction, context: ContractContext, *, is_attested: bool
) -> None:
    """All that is behind `check_points_sound`, but for what `check_attested` has found right."""
    for checks in (_STATE, () if is_attested else _ATTESTATION):
        for check in checks:
            check(transaction, context)
    for check in _SUPPLY if transaction.body.supply_change else ():
        check(transaction, context)


def check_contract(transaction: AttestedTransaction, context: ContractContext) -> None:
    """Run the contract; the first broken rule raises its code."""
    for check in get_contract(transaction):
        check(transaction, context)
