"""The registration's pages (P6): look up an output or a receipt, see the supply, check all of it.

/                    forms, and the log now           /output?ref=  one output, with proofs
/receipt             one receipt, verified            /supply       the total over time
/verify              lines that check the rest        /checkpoint, /tile/…, /genesis, …  the log

Rendered here, without scripts. Whatever is shown as proven links to the proof. Files of the log are
handed out as they lie in the published folder, so `specie audit` of this address checks the same
bytes that any mirror would hold.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qs

import anyio.to_thread
from anyio import CapacityLimiter
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from specie.api.bodies import read_body
from specie.api.chart import draw_supply, format_time
from specie.api.pages import (
    BYTES,
    CSS,
    CSV,
    FIND_OUTPUT,
    HOME,
    HTML,
    LOG_PAGES,
    MISSING,
    OUTPUT,
    PEM,
    PROOF,
    RECEIPT,
    ROOT,
    SPENT_PROOF,
    STATE,
    STEPS,
    STYLE,
    SUPPLY,
    SUPPLY_ROWS,
    TEXT,
    Endpoint,
    Page,
    Served,
    refuse,
)
from specie.api.verification import Step, list_output_steps, list_steps
from specie.assembly.central_processes import RegistrationProcess
from specie.assembly.lists import COSIGNERS, GENESIS, PARTICIPANTS, ROOT_FILE
from specie.crypto.addresses import Address, format_address
from specie.identity.cosigners import find_backing
from specie.ledger.receipts import VerifiedReceipt, compute_paid_ref, verify_receipt
from specie.log.notes import SignedCheckpoint
from specie.log.tiles import CHECKPOINT_PATH
from specie.registration.service import OutputPlace
from specie.remote.encoding import get_status
from specie.store.durable_files import read_limited
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import OutputRef
from specie.values.limits import LOG_FILE_BYTES_MAX, PROOF_BYTES_MAX

_AT_ONCE: Final = 8
_FORM_BYTES_MAX: Final = 4 * PROOF_BYTES_MAX  # percent signs take room
_ROWS: Final = 20
_TILE_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789./")
_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

Show = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class _Line:
    """Who says something."""

    what: str
    who: str


@dataclass(slots=True, repr=False)
class Site:
    """The pages of one registration."""

    process: RegistrationProcess
    _limiter: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_AT_ONCE))
    _templates: Environment = field(
        default_factory=lambda: Environment(
            loader=PackageLoader("specie.api"), autoescape=True, undefined=StrictUndefined
        )
    )

    def build_pages(self) -> Sequence[Served]:
        """All of them, and the files of the log."""
        shown: Mapping[Page, Show] = {
            HOME: self.show_home,
            STYLE: self.show_style,
            FIND_OUTPUT: self.find_output,
            OUTPUT: self.show_output,
            PROOF: self.show_proof,
            SPENT_PROOF: self.show_spent_proof,
            STATE: self.show_state,
            SUPPLY: self.show_supply,
            SUPPLY_ROWS: self.show_supply_rows,
            STEPS: self.show_steps,
            ROOT: self.show_root,
            **dict.fromkeys((*LOG_PAGES, MISSING), self.show_file),
        }
        return [
            (RECEIPT, self._receive_receipt),
            *((page, self._guard(show)) for page, show in shown.items()),
        ]

    # --- pages ---------------------------------------------------------------------------------

    def show_home(self, _request: Request) -> Response:
        """Forms, and the log now."""
        signed = self._find_signed()
        points = self.process.history.points
        return self._render(
            "home.html",
            signed=signed,
            batch=self.process.history.get_last(),
            supply=self._format(points[-1].total if points else 0),
            vouching=self._describe_vouching(signed) if signed else (),
        )

    def find_output(self, request: Request) -> Response:
        """From the form to the output's own address."""
        return RedirectResponse(f"/output/{_read_ref(request.query_params.get('ref', '')).hex()}")

    def show_output(self, request: Request) -> Response:
        """Registered when, spent or not, as of which checkpoint, who says so."""
        place = self._find_place(request)
        history = self.process.history
        created, spent = place.created, place.spent
        return self._render(
            "output.html",
            place=place,
            created=None if created is None else history.find_batch(created),
            spent=None if spent is None else history.find_batch(spent),
            vouching=self._describe_vouching(self.process.registration.read_signed()),
            steps=self._list_output_steps(place),
        )

    def show_proof(self, request: Request) -> Response:
        """That it was registered: a receipt of its leaf."""
        return self._prove(self._find_place(request).created)

    def show_spent_proof(self, request: Request) -> Response:
        """That it was spent: a receipt of that leaf."""
        return self._prove(self._find_place(request).spent)

    def show_state(self, request: Request) -> Response:
        """The registration's word, as a signed note."""
        note = self.process.registration.sign_state(self._find_place(request))
        return _respond(note, TEXT)

    def show_supply(self, _request: Request) -> Response:
        """The chart and the last changes."""
        points = self.process.history.points
        chart = draw_supply(points, self.process.base.clock.now(), self._currency)
        recent = points[-_ROWS:]
        before = [point.total for point in points[-_ROWS - 1 : -1]]
        before = before if len(before) == len(recent) else [0, *before]  # nothing before the first
        rows = [
            {
                "serial": point.serial,
                "time": format_time(point.time),
                "change": self._format(point.total - last),
                "total": self._format(point.total),
            }
            for point, last in zip(recent, before, strict=True)
        ]
        return self._render(
            "supply.html",
            chart=chart,
            rows=rows[::-1],
            count=len(points),
            supply=self._format(points[-1].total if points else 0),
        )

    def show_supply_rows(self, _request: Request) -> Response:
        """Everything, for other programs: number, milliseconds, minor units."""
        lines = ["number,time_ms,outstanding_minor"]
        lines += [f"{one.serial},{one.time},{one.total}" for one in self.process.history.points]
        return _respond("\n".join(lines) + "\n", CSV)

    def show_steps(self, _request: Request) -> Response:
        """How anybody checks all of it."""
        roster = self.process.base.peers.roster
        return self._render("verify.html", steps=list_steps(self._url, roster))

    def show_receipt(self, text: str) -> Response:
        """What a receipt proves, verified here; its output as of now."""
        receipt = verify_receipt(text, self.process.trust)
        checkpoint = self.process.registration.catch_up()
        if receipt.checkpoint.checkpoint.size > checkpoint.size:
            raise SpecieError(ErrorCode.NOT_PUBLISHED, "its checkpoint has not come here yet")
        return self._render(
            "receipt.html",
            receipt=receipt,
            batch=self.process.history.find_batch(receipt.index),
            kind=type(receipt.leaf).__name__.removesuffix("Leaf").lower(),
            paid=self._describe_paid(receipt),
            vouching=self._describe_vouching(receipt.checkpoint),
        )

    # --- files ---------------------------------------------------------------------------------

    def show_style(self, _request: Request) -> Response:
        """The one style sheet."""
        text = (files("specie.api") / "templates" / "style.css").read_text()
        return _respond(text, CSS)

    def show_root(self, _request: Request) -> Response:
        """The root's certificate; whoever takes it from here compares its fingerprint."""
        data = read_limited(self.process.base.folder, ROOT_FILE, LOG_FILE_BYTES_MAX)
        return _respond(data, PEM)

    def show_file(self, request: Request) -> Response:
        """A file of the published folder, and nothing beside it."""
        name = str(request.scope["path"]).removeprefix("/")
        if not _is_published(name):
            raise SpecieError(ErrorCode.NOT_FOUND, "there is no such page")
        try:
            data = read_limited(self.process.public, name, LOG_FILE_BYTES_MAX)
        except SpecieError:
            raise SpecieError(ErrorCode.NOT_FOUND, "there is no such file") from None
        kind = TEXT if name == CHECKPOINT_PATH else BYTES
        return _respond(data, kind)

    # --- the rest ------------------------------------------------------------------------------

    @property
    def _url(self) -> str:
        base = self.process.base
        return base.peers.services.get(base.name).public_url

    @property
    def _currency(self) -> Any:
        return self.process.base.peers.roster.genesis.currency

    def _format(self, amount: int) -> str:
        text: str = self._currency.format(amount)
        return text

    def _guard(self, show: Show) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await anyio.to_thread.run_sync(
                self._answer, request, lambda: show(request), limiter=self._limiter
            )

        return endpoint

    async def _receive_receipt(self, request: Request) -> Response:
        try:
            body = await read_body(request, _FORM_BYTES_MAX)
        except SpecieError as error:
            return self._refuse(request, error)
        return await anyio.to_thread.run_sync(
            self._answer,
            request,
            lambda: self.show_receipt(_read_form(body)),
            limiter=self._limiter,
        )

    def _answer(self, request: Request, show: Callable[[], Response]) -> Response:
        try:
            return show()
        except SpecieError as error:
            return self._refuse(request, error)

    def _refuse(self, request: Request, error: SpecieError) -> Response:
        """A page for who reads pages, a problem for programs."""
        if HTML not in request.headers.get("accept", ""):
            return refuse(error)
        page = self._render("refused.html", message=error.message, code=error.code.value)
        page.status_code = get_status(error.code)
        return page

    def _render(self, template: str, **values: Any) -> Response:
        genesis = self.process.base.peers.roster.genesis
        site = {
            "name": genesis.name,
            "network": genesis.network.hex(),
            "currency": genesis.currency,
            "officers": genesis.officers_required,
            "receipt_max": PROOF_BYTES_MAX,
        }
        text = self._templates.get_template(template).render(site=site, time=format_time, **values)
        return _respond(text, HTML)

    def _find_signed(self) -> SignedCheckpoint | None:
        if self.process.history.get_last() is None:
            return None
        return self.process.registration.read_signed()

    def _find_place(self, request: Request) -> OutputPlace:
        ref = _read_ref(str(request.path_params["ref"]))
        place = self.process.registration.find_place(ref)
        self.process.history.follow(self.process.log, place.checkpoint)
        return place

    def _prove(self, position: int | None) -> Response:
        if position is None:
            raise SpecieError(ErrorCode.NOT_FOUND, "no leaf of the log says so")
        return _respond(self.process.registration.prove_leaf(position), TEXT)

    def _describe_vouching(self, signed: SignedCheckpoint) -> list[_Line]:
        listed = self.process.get_cosigners()
        found = [_Line("signed by", f"the notary, {signed.checkpoint.origin}")]
        backing = find_backing(signed, listed, None)
        return [*found, *(_Line(one.role.plural, one.describe()) for one in backing)]

    def _describe_paid(self, receipt: VerifiedReceipt) -> dict[str, Any] | None:
        if receipt.payment is None:
            return None
        opening = receipt.payment.opening
        roster = self.process.base.peers.roster
        ref = compute_paid_ref(opening, roster.current)
        place = self.process.registration.find_place(ref)
        address = Address(opening.bank, opening.view, opening.spend)
        return {
            "amount": self._format(opening.amount),
            "address": format_address(address, roster.genesis.address_prefix),
            "bank": roster.current.get(opening.bank).name,
            "ref": place.ref.hex(),
            "state": place.state.name.lower(),
            "size": place.checkpoint.size,
        }

    def _list_output_steps(self, place: OutputPlace) -> Sequence[Step]:
        roster = self.process.base.peers.roster
        return list_output_steps(self._url, roster, place)


def _read_ref(text: str) -> OutputRef:
    digits = text.strip()
    if len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
        raise SpecieError(ErrorCode.MESSAGE_MALFORMED, "a reference has 64 hex digits")
    return OutputRef(bytes.fromhex(digits))


def _read_form(body: bytes) -> str:
    """The text as it was: forms send line ends of their own."""
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=4, errors="strict")
    except ValueError:
        raise SpecieError(ErrorCode.RECEIPT_INVALID, "not a receipt") from None
    [text, *_] = fields.get("receipt", [""])
    text = text.replace("\r\n", "\n")
    return text if text.endswith("\n") else text + "\n"


def _is_published(name: str) -> bool:
    if name in (GENESIS, PARTICIPANTS, COSIGNERS, CHECKPOINT_PATH):
        return True
    parts = name.split("/")
    is_plain = set(name) <= _TILE_LETTERS
    return is_plain and parts[0] == "tile" and all(part and part != ".." for part in parts)


def _respond(content: str | bytes, kind: str) -> Response:
    return Response(content, headers=_HEADERS, media_type=kind)
