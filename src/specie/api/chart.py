"""The supply over time as a picture: an SVG of steps, drawn by the server, read without scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from specie.registration.history import SupplyPoint
from specie.values.amounts import Currency
from specie.values.times import Timestamp

WIDTH, HEIGHT = 720, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 130, 20, 16, 36
_POINTS_MAX: Final = 400


@dataclass(frozen=True, slots=True)
class Mark:
    """A label at an axis."""

    place: float  # pixels
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws."""

    line: str  # the path's `d`
    area: str
    amounts: tuple[Mark, ...]
    times: tuple[Mark, ...]
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def draw_supply(points: Sequence[SupplyPoint], now: Timestamp, currency: Currency) -> Chart | None:
    """Steps from the first change until now; None if the supply never changed."""
    if not points:
        return None
    shown = _thin(points)
    start = shown[0].time
    span = max(now - start, 1)
    top = max(point.total for point in points) or 1
    corners = [(_LEFT + _scale(p.time - start, span), _lift(p.total, top)) for p in shown]
    path = [f"M{corners[0][0]:.1f} {corners[0][1]:.1f}"]
    path += [f"H{x:.1f}V{y:.1f}" for x, y in corners[1:]]
    path.append(f"H{WIDTH - _RIGHT}")
    line = "".join(path)
    floor = HEIGHT - _BOTTOM
    area = f"{line}V{floor}H{corners[0][0]:.1f}Z"
    amounts = tuple(Mark(_lift(total, top), currency.format(total)) for total in (0, top // 2, top))
    times = (Mark(_LEFT, format_time(start)), Mark(WIDTH - _RIGHT, format_time(now)))
    return Chart(line, area, amounts, times)


def format_time(time: Timestamp) -> str:
    """UTC, to the second."""
    moment = datetime.fromtimestamp(time // 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _thin(points: Sequence[SupplyPoint]) -> list[SupplyPoint]:
    """Every n-th and always the last: more than pixels there are cannot be seen."""
    step = -(-len(points) // _POINTS_MAX)
    kept = list(points[::step])
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]


def _scale(elapsed: int, span: int) -> float:
    return (WIDTH - _LEFT - _RIGHT) * min(max(elapsed, 0), span) / span


def _lift(total: int, top: int) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * total / top
