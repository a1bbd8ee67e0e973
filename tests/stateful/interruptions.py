"""Stopping a flow at any of its calls, as a crash of whoever runs it would.

A flow sees the others only as ports, so a port that stops answering is all it takes. Every call
passes twice: before it happens, and after it happened but before the answer is heard.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from specie.bank.deposits import DepositBooks
from specie.bank.service import Bank
from specie.bank.teller import Teller
from specie.wallet.vault import Vault

Port = TypeVar("Port")


class Interrupted(Exception):
    """The process that ran the flow is gone."""


class Fuse:
    """Burns through at the n-th passage of a call, never without an n."""

    def __init__(self, passages: int | None) -> None:
        self._left = passages

    def pass_call(self) -> None:
        """Raises `Interrupted` at the n-th passage."""
        if self._left is None:
            return
        self._left -= 1
        if self._left == 0:
            raise Interrupted

    def guard(self, port: Port) -> Port:
        """The same port, whose calls pass this fuse."""
        return cast(Port, _Guarded(port, self))


class _Guarded:
    """Hands every call on; what is a port itself is guarded as well."""

    def __init__(self, port: object, fuse: Fuse) -> None:
        self._port = port
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if isinstance(found, (Vault, DepositBooks, Teller)):
            return self._fuse.guard(found)
        return self._guard_call(found) if callable(found) else found

    def _guard_call(self, method: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            self._fuse.pass_call()
            answer = method(*arguments, **named)
            self._fuse.pass_call()
            return self._fuse.guard(answer) if isinstance(answer, Bank) else answer

        return call
