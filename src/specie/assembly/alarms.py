"""What an operator has to look at (X3): raised by a process, told until it is over.

| alarm | who raises it | over |
| --- | --- | --- |
| lists_old | every process: nobody has answered for the network's lists | with an answer |
| clock_off | every process: its clock is half a minute from the central bank's | when not |
| certificate_ends | every process: it could not be renewed for two weeks | with a new one |
| promises_broken | the notary: promised, and not published in time | never: people decide |
| issuance_paused | the central bank: officers have paused it | when it is resumed |
| log_forked | a witness, auditor, registration: signed by the notary, and another history | never |
| batch_invalid | the auditor: a published batch that breaks a rule | never |
| stock_mismatch | the central bank: fund and notary cannot both be right | when they can |
| applications_lost | the central bank: the supply has changed more often than it knows of | never |
| core_bank_silent | a bank: its core system does not take what is due to it | when it does |
| core_bank_mismatch | a bank: control accounts and core system differ | when they agree |
| access_log_cut | a bank: entries of its access log are gone or changed | never: people decide |

Each is a line of the log when it begins and ends, a metric, and a line of `specie alarms`.
"""

import threading
from collections.abc import Mapping
from typing import Final

import structlog

LISTS_OLD: Final = "lists_old"
CLOCK_OFF: Final = "clock_off"
CERTIFICATE_ENDS: Final = "certificate_ends"
PROMISES_BROKEN: Final = "promises_broken"
ISSUANCE_PAUSED: Final = "issuance_paused"
LOG_FORKED: Final = "log_forked"
BATCH_INVALID: Final = "batch_invalid"
STOCK_MISMATCH: Final = "stock_mismatch"
APPLICATIONS_LOST: Final = "applications_lost"
CORE_BANK_SILENT: Final = "core_bank_silent"
CORE_BANK_MISMATCH: Final = "core_bank_mismatch"
ACCESS_LOG_CUT: Final = "access_log_cut"
ALARMS: Final = (
    LISTS_OLD,
    CLOCK_OFF,
    CERTIFICATE_ENDS,
    PROMISES_BROKEN,
    ISSUANCE_PAUSED,
    LOG_FORKED,
    BATCH_INVALID,
    STOCK_MISMATCH,
    APPLICATIONS_LOST,
    CORE_BANK_SILENT,
    CORE_BANK_MISMATCH,
    ACCESS_LOG_CUT,
)
_LOG: Final = structlog.get_logger("specie.process")


class Alarms:
    """Of one process; safe under threads."""

    def __init__(self) -> None:
        self._ringing: dict[str, str] = {}
        self._lock = threading.Lock()

    def set(self, name: str, why: str = "", *, is_on: bool = True) -> None:
        """Begin it, or end it; again is nothing."""
        assert name in ALARMS, "each is in the table"
        with self._lock:
            was_on = name in self._ringing
            if is_on:
                self._ringing.setdefault(name, why)
            else:
                self._ringing.pop(name, None)
        if is_on and not was_on:
            _LOG.error("alarm", alarm=name, why=why)
        elif was_on and not is_on:
            _LOG.info("alarm over", alarm=name)

    def list(self) -> Mapping[str, str]:
        """Name → why, of those that are on."""
        with self._lock:
            return dict(self._ringing)
