"""Errors travel between processes as they are."""

import pickle

from specie.crypto.proofs import BatchRefusedError, Failure
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError


def test_an_error_is_the_same_in_another_process() -> None:
    error = pickle.loads(pickle.dumps(SpecieError(ErrorCode.SETTING_INVALID, "no such folder")))
    assert type(error) is SpecieError
    assert error.code is ErrorCode.SETTING_INVALID
    assert (error.message, str(error)) == ("no such folder", "setting_invalid: no such folder")


def test_what_it_carries_is_not_lost_on_the_way() -> None:
    error = pickle.loads(pickle.dumps(SpentError("spent before", b"evidence")))
    assert type(error) is SpentError
    assert (error.code, error.message) == (ErrorCode.INPUT_SPENT, "spent before")
    assert error.evidence == b"evidence"
    failures = (Failure(1, "proof", 0),)
    refused = pickle.loads(pickle.dumps(BatchRefusedError(failures)))
    assert type(refused) is BatchRefusedError
    assert (refused.failures, str(refused)) == (failures, str(BatchRefusedError(failures)))
