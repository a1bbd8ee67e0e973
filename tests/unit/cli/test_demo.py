"""`specie demo` as a person sees it: every step, the last line, exit codes, nothing left over."""

import json
import re
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from tests.unit.cli.conftest import COMMAND, Demo, Running, run

STEPS = (
    "network is born",
    "lends reserves",
    "issues money",
    "Aigerim opens a wallet",
    "Bolat opens a wallet",
    "Both withdraw",
    "pays Bolat across banks",
    "switches his phone on",
    "Who sees what",
    "her phone dies",
    "finds the money by itself",
    "spends the same tokens twice",
    "vault money to the other",
    "deposits half",
    "redeems vault money",
    "takes stock of its currency",
    "open wallets",
    "They withdraw",
    "A day of 6 orders",
    "What waits is published",
    "witnesses and an auditor",
    "proves to her landlord",
    "loses his phone",
    "separate process verifies",
)


def test_the_demo_tells_every_step_and_ends_with_the_supply(demo: Demo) -> None:
    done = demo.done
    assert (done.code, done.errors) == (0, [])
    titles = [line for line in done.lines if re.match(r" ?\d+\. ", line)]
    assert len(titles) == len(STEPS)
    for title, step in zip(titles, STEPS, strict=True):
        assert step in title
    assert done.lines[-1].startswith("supply verified: ")
    assert len(done.lines[-1]) <= 80
    assert "" not in done.lines


def test_what_it_shows_fits_a_terminal(demo: Demo) -> None:
    long = [line for line in demo.done.lines if len(line) > 80]
    assert [line for line in long if "    specie " not in line] == []


def test_it_shows_who_sees_what(demo: Demo) -> None:  # T9, T10
    text = "\n".join(demo.done.lines)
    rows = dict(re.findall(r"^    (\S.*?)  +(\d of \d .*)$", text, re.MULTILINE))
    assert rows["payer Aigerim"].split() == ["2", "of", "2", "yes", "yes", "yes", "-"]
    assert rows["payee Bolat"].split() == ["1", "of", "2", "yes", "-", "yes", "yes"]
    assert rows["Bank of the North"].split() == rows["payer Aigerim"].split()
    assert rows["Bank of the South"].split() == rows["payee Bolat"].split()
    assert rows["notary"].split() == rows["public"].split() == ["0", "of", "2", *"----"]
    assert text.count("not found") == 2


def test_it_names_the_culprit_and_loses_no_payment(demo: Demo) -> None:  # T15
    text = "\n".join(demo.done.lines)
    assert "Bank of the North: the key belongs to its client Aigerim" in text
    said, again = re.findall(r"(?:says yes|same answer): (\w+)…", text)
    assert said == again
    assert "Bolat's phone asks again: 1 token" in text  # T11


def test_every_promise_is_kept(demo: Demo) -> None:
    text = "\n".join(demo.done.lines)
    kept = re.search(r"all (\d+) promises kept, smallest publication batch (\d+)", text)
    assert kept is not None and int(kept[1]) > int(kept[2]) > 0


def test_its_folder_is_private_and_passes_the_audit(demo: Demo) -> None:  # X1
    assert stat.S_IMODE(demo.data.stat().st_mode) == 0o700
    assert f"    specie audit {demo.public}" in demo.done.lines
    done = run("audit", demo.public)
    assert done.code == 0
    supply = demo.done.lines[-1].split(": ")[1].split(" =")[0]
    assert any(line.split(":")[-1].strip() == supply for line in done.lines)
    assert any("cosigned by" in line for line in done.lines)
    found = json.loads(run("audit", demo.public, "--json").lines[0])
    claims = {one["claim"]: one["rests_on"] for one in found["claims"]}
    assert found["signers"] and claims["nothing is spent twice"] == "proven in the data"
    assert run("audit", demo.public, "--network", found["network"]).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["demo", "--mode", "open"], 2, "--mode"),
        (["demo", "--clients", "many"], 2, "--clients"),
        (["demo", "--clients", "2"], 1, "setting_invalid: clients"),
        (["demo", "--payments", "-1"], 1, "setting_invalid: payments"),
        (["demo", "--profile", "/nowhere"], 1, "profile_missing"),
        (["demo", "--data", "/proc/x"], 1, "store_unusable: --data /proc/x"),
        (["demo", "--data", __file__], 1, "setting_invalid: --data"),
        (["demo", "--data", f"{__file__}/below"], 1, "setting_invalid: --data"),
        (["demo", "--data", str(Path(__file__).parent)], 1, "not an empty folder"),
        (["audit", "/nowhere"], 1, "log_invalid: genesis"),
        (["audit", "/nowhere", "--network", "xyz"], 2, "--network"),
        (["bench", "moon"], 1, "setting_invalid: no benchmark moon"),
    ],
)
def test_wrong_options_get_a_sentence(arguments: list[str], code: int, said: str) -> None:
    done = run(*arguments)
    assert done.code == code
    assert said in " ".join(done.errors)
    assert code == 2 or len(done.errors) == 1
    assert "Traceback" not in " ".join(done.errors)


def test_a_bad_profile_is_named_with_its_line(tmp_path: Path) -> None:  # T26
    (tmp_path / "transactionsTypes.csv").write_text("action\nPAYMENT\nGIFT\n")
    done = run("demo", "--profile", tmp_path)
    assert done.code == 1
    assert re.fullmatch(r"specie: profile_\w+: .*\w+\.csv.*", done.errors[0])
    assert "transactionsTypes.csv:3" in done.errors[0] or "missing" in done.errors[0]


def test_it_says_its_version() -> None:
    assert re.fullmatch(r"specie \d+\.\d+\.\d+", run("--version").lines[0])


@pytest.mark.parametrize(
    ("number", "code", "word", "moment"),
    [
        pytest.param(signal.SIGINT, 130, "interrupted", "A day of", marks=pytest.mark.soak),
        (signal.SIGTERM, 143, "terminated", "her phone dies"),
    ],
)
def test_a_stop_keeps_what_was_final(
    started: Running, tmp_path: Path, number: int, code: int, word: str, moment: str
) -> None:
    started.wait_for(moment)
    done = started.stop(number)
    assert done.code == code
    public = tmp_path / "kept/public"
    said = f"specie: {word}; kept what was final; verify it: specie audit {public}"
    assert done.errors == [said]
    assert list(started.temp.iterdir()) == []
    assert run("audit", public).code == 0


def test_a_stop_without_data_leaves_nothing(started: Running, tmp_path: Path) -> None:
    started.stop(signal.SIGKILL)
    temp = tmp_path / "other"
    temp.mkdir()
    with subprocess.Popen(
        [*COMMAND, "demo", "--payments", "3000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"TMPDIR": str(temp)},
    ) as process:
        again = Running(process, temp)
        again.wait_for("issues money")
        assert list(temp.iterdir()) != []
        done = again.stop(signal.SIGINT)
    assert (done.code, done.errors) == (130, ["specie: interrupted; nothing was kept"])
    assert list(temp.iterdir()) == []


def test_a_reader_who_goes_is_no_error(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "demo", "--payments", "0", "--clients", "3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"TMPDIR": str(tmp_path)},
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert "network is born" in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141
    assert list(tmp_path.iterdir()) == []
