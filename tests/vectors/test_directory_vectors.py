"""The vectors of the directory, against twin and kernel (rows T8, X3)."""

from typing import Any

import pytest

from specie import _kernel as kernel
from tests.reference import handles, hashing, vrf
from tests.reference.refusals import Refused
from tests.vectors import generate
from tests.vectors.files import load, raw

DIRECTORY = load("directory")


def name_case(case: dict[str, Any]) -> str:
    return str(case.get("why") or case.get("made_by"))


def test_generator_still_makes_these_bytes() -> None:
    assert generate.MAKERS["directory"](DIRECTORY) == DIRECTORY


@pytest.mark.parametrize("case", DIRECTORY["values"], ids=name_case)
def test_values_hold(case: dict[str, str]) -> None:
    record = raw(case["public"]), raw(case["message"]), raw(case["value"])
    vrf.verify(*record)
    kernel.verify_vrf(*record)
    if case["made_by"] == "twin":
        secret = hashing.decode_scalar(raw(case["secret"]))
        nonce = hashing.decode_scalar(raw(case["nonce"]))
        assert vrf.evaluate(secret, nonce, record[1]) == record[2]
        key = handles.vrf_key(secret)
        assert key.public == record[0]
        assert key.evaluate(record[1])[:32] == record[2][:32]


@pytest.mark.parametrize("case", DIRECTORY["refused_values"], ids=name_case)
def test_values_refused(case: dict[str, str]) -> None:
    record = raw(case["public"]), raw(case["message"]), raw(case["value"])
    with pytest.raises(Refused) as plainly:
        vrf.verify(*record)
    with pytest.raises(kernel.KernelError) as natively:
        kernel.verify_vrf(*record)
    assert natively.value.code == plainly.value.code
