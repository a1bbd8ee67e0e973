"""A bank's duties by its own commands, on running processes (T20, X9). Harms nobody else's wallets.

The policy that is set has its own tiers for the wallets of this test alone; everybody else stays
in the default one.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from specie.bank.access import parse_head
from specie.policy import builtin
from specie.remote.encoding import JSON
from tests.network.pilot import Pilot
from tests.network.webhook_receiver import receiving

WHO = ("--as", "Ada", "--reason", "test of the policy")
GRACE = ("--as", "Grace", "--reason", "second pair of eyes")
OWN = """
[[tier]]
name = "policy-test"
limits = { payment = 2_000 }
[[rule]]
name = "policy-test"
kind = "threshold"
tiers = ["policy-test"]
direction = "out"
amount = 1_000
consequence = "hold"
"""


def test_limits_cases_freezes_and_the_access_log(pilot: Pilot, tmp_path: Path) -> None:
    pilot.fund(2, "1,000.00")
    pilot.open_wallet("policy-anna", 2)
    pilot.bank(2, "lend", "policy-anna", "100.00")
    for amount in ("20.01", "0.01", "16.00"):  # a refused payment keeps the two that it took
        pilot.wallet("policy-anna", "withdraw", amount)
    shop = pilot.open_wallet("policy-shop", 3)
    file = tmp_path / "policy.toml"
    file.write_text(builtin.TEXT.replace("= 100_000_000_000 ", "= 1_500 ") + OWN)
    assert "policy-test" in pilot.run("bank", "policy", "check", str(file))
    pilot.bank(2, "policy", "set", str(file), *WHO)
    put = json.loads(pilot.bank(2, "tier", "policy-anna", "policy-test", *WHO, "--json"))
    assert put == {"client": "policy-anna", "tier": "policy-test"}
    refused = pilot.wallet("policy-anna", "pay", shop, "20.01", code=1)
    assert "payment_limit_exceeded" in refused and "at most 20.00 DCU at once" in refused
    account = json.loads(pilot.wallet("policy-anna", "account", "--json"))
    assert account["payment_limit_minor"] == 2_000 and "holding_limit" not in account
    held = ("pay", shop, "16.00", "--order", "ab" * 16)
    assert "payment_held" in pilot.wallet("policy-anna", *held, code=1)
    cases = json.loads(pilot.bank(2, "cases", "--json", *WHO))
    number = next(str(one["number"]) for one in cases if one["client"] == "policy-anna")
    assert "somebody else" in pilot.bank(2, "decide", number, "release", *WHO)
    assert "payment_held" in pilot.wallet("policy-anna", *held, code=1)
    assert "released" in pilot.bank(2, "decide", number, "release", *GRACE)
    assert "paid" in pilot.wallet("policy-anna", *held)
    pilot.wallet("policy-anna", "withdraw", "9.99")
    check_freeze(pilot, shop)
    look_back(pilot, tmp_path, number)


def test_a_payer_does_not_hear_what_a_payee_may_hold(pilot: Pilot, tmp_path: Path) -> None:
    """Neither the payer nor its events, its webhook or its bank; the payee's bank knows (X5)."""
    pilot.fund(2, "100.00")
    pilot.fund(3, "100.00")
    holder = pilot.give("full-boris", 3, "10.00")
    file = tmp_path / "policy.toml"
    file.write_text(builtin.TEXT + OWN.replace("payment = 2_000", "holding = 1_500"))
    pilot.bank(3, "policy", "set", str(file), *WHO)
    pilot.bank(3, "tier", "full-boris", "policy-test", *WHO)
    for payer, bank in (("full-anna", 2), ("full-clara", 3)):
        pilot.give(payer, bank, "5.01")
        with receiving() as receiver:
            pilot.bank(bank, "webhooks", "register", payer, receiver.url)
            told = pilot.wallet(payer, "pay", holder, "5.01", code=1)
            heard = ("listen", "--after", "2", "--count", "1", "--json")
            told += pilot.wallet(payer, *heard) + pilot.wallet(payer, "history", "--json")
            pilot.wait(lambda: "refused" in str(receiver.told))  # asked here
            told += str([one.body for one in receiver.told])
            pilot.bank(bank, "webhooks", "remove", payer)
        assert told.count("payment_refused_by_policy") == 4
        assert "hold" not in told.replace("--holder", "")
    pilot.bank(3, "lend", "full-boris", "5.01")
    own = pilot.wallet("full-boris", "withdraw", "5.01", code=1)
    assert "holding_limit_exceeded" in own, "the client itself is told"
    logs = [(pilot.data / "logs" / f"bank-{one}.jsonl").read_text() for one in (2, 3)]
    assert ["holding_limit_exceeded" in one for one in logs] == [False, True]
    assert '"because": "holding_limit_exceeded"' in logs[1]
    pilot.bank(3, "tier", "full-boris", "person", *WHO)


def check_freeze(pilot: Pilot, shop: str) -> None:
    """Until it is lifted; an end in the far future is no end."""
    freeze, at = ("bank", "freeze", "policy-anna"), ("--at", str(pilot.data / "bank-2"))
    day = datetime.now(UTC) + timedelta(days=1)
    order = ("--order-reference", "court 1", "--until", day.strftime("%Y-%m-%d"))
    far = ("--order-reference", "court 1", "--until", "2099-01-01")
    assert "limit_exceeded" in pilot.run(*freeze, *far, *WHO, *at, code=1)
    frozen = json.loads(pilot.run(*freeze, *order, *WHO, *at, "--json"))
    assert (frozen["state"], frozen["reference"]) == ("frozen", "court 1")
    again = ("pay", shop, "9.99", "--order", "cd" * 16)
    assert "client_frozen" in pilot.wallet("policy-anna", *again, code=1)
    assert "court 1" in pilot.bank(2, "freeze-show", "policy-anna", *WHO)
    shown = json.loads(pilot.bank(2, "clients", "--client", "policy-anna", *WHO, "--json"))
    assert [(one["standing"], one["tier"]) for one in shown] == [("good", "policy-test")]
    assert shown[0]["frozen_until"] is not None
    page = pilot.bank(2, "clients", *WHO, "--limit", "1")
    assert page.splitlines()[1].startswith("more: --after ")
    pilot.bank(2, "unfreeze", "policy-anna", *WHO)
    assert "paid" in pilot.wallet("policy-anna", *again)


def look_back(pilot: Pilot, tmp_path: Path, number: str) -> None:
    """Search, report, dry run; all of it is on the log, whose head anybody may have."""
    query = ("--client", "policy-anna", "--direction", "out", "--json")
    found = json.loads(pilot.bank(2, "search", *query, *WHO))
    assert [one["minor"] for one in found["movements"]] == [999, 1_600]
    report = tmp_path / "report.json"
    pilot.bank(2, "report", number, "--out", str(report), *WHO)
    assert json.loads(report.read_text())["report_code"] == "STR"
    strict = tmp_path / "strict.toml"
    strict.write_text(builtin.TEXT + OWN.replace("2_000", "1_000"))
    told = json.loads(pilot.bank(2, "policy", "dry-run", str(strict), "--json", *WHO))
    rows = {(one["tier"], one["rule"]): one["tally"] for one in told["rows"]}
    assert rows["policy-test", "limit:payment"] == {"payments": 1, "amount": 1_600, "clients": 1}
    head = tmp_path / "head.txt"
    pilot.bank(2, "access-log", "--head", str(head))
    answer = pilot.fetch(f"{pilot.get_url('bank-2')}/v1/access/head", headers={"accept": JSON})
    assert parse_head(json.loads(answer.data)["head"]).size == parse_head(head.read_text()).size
    checked = pilot.bank(2, "access-log", "--verify", "--pinned", str(head), "--json")
    assert json.loads(checked)["pinned_heads"] == 1
    log = json.loads(pilot.bank(2, "access-log", "--json", *WHO, "--limit", "1000"))
    mine = [one["action"] for one in log if one["client"] == "policy-anna"]
    wanted = [
        "invite",
        "tier",
        "decide",
        "decide",
        "freeze",
        "freeze-shown",
        "clients",
        "unfreeze",
        "search",
        "report",
    ]
    assert mine == wanted
    pilot.bank(2, "tier", "policy-anna", "person", *WHO)  # other policies have no other tiers
    assert "reason_missing" in pilot.run(
        "bank", "access-log", "--at", str(pilot.data / "bank-2"), code=1
    )
