"""The registration's pages in a real browser, and their lines as they are printed (P6, X2, X3)."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.network.pilot import PASSPHRASE, Pilot

BROWSER = shutil.which("chromium") or "chromium"


@dataclass(frozen=True)
class Told:
    """What happened before anybody looked."""

    receipt: Path
    mirror: Path
    payment: str


@pytest.fixture(scope="module")
def told(pilot: Pilot, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Two issues, a redemption, a payment, its receipt; everything is in the log."""
    folder = tmp_path_factory.mktemp("told")
    pilot.fund(2, "500.00")
    pilot.fund(2, "80.00")
    pilot.officer("approve", pilot.bank(2, "redeem", "30.00"))
    pilot.give("alice", 2, "40.00")
    bob = pilot.open_wallet("bob", 3)
    [payment] = re.findall(r"paid: ([0-9a-f]{32})", pilot.wallet("alice", "pay", bob, "12.34"))
    told = Told(folder / "r.tlog-proof", folder / "mirror", payment)
    pilot.wait(lambda: _try_receipt(pilot, told))
    return told


def _try_receipt(pilot: Pilot, told: Told) -> bool:
    root, device = str(pilot.public / "root.pem"), str(pilot.devices / "alice.db")
    url = pilot.get_url("registration")
    pilot.run("audit", url, "--root", root, "--keep", str(told.mirror))
    command = ["wallet", "receipt", told.payment, "--device", device, "--holder", "alice"]
    command += ["--public", str(told.mirror), "--out", str(told.receipt)]
    if pilot.try_run(*command, stdin=f"{PASSPHRASE}\n")["code"] != 0:
        return False
    return all(f"{bank} " in told.receipt.read_text() for bank in ("bank-2", "bank-3"))


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """Without scripts: nothing may need them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        context = browser.new_context(ignore_https_errors=True, java_script_enabled=False)
        yield context.new_page()
        browser.close()


def find_ref(page: Page) -> str:
    return str(page.locator("dd a.mono").inner_text())


def look_up_receipt(page: Page, pilot: Pilot, told: Told) -> None:
    page.goto(pilot.get_url("registration"))
    page.get_by_label("Its text").fill(told.receipt.read_text())
    page.locator("form[action='/receipt'] button").click()


def test_a_receipt_is_looked_up(pilot: Pilot, told: Told, page: Page) -> None:
    """P6, X2: registered when, what it paid, unspent as of which checkpoint, who says so."""
    look_up_receipt(page, pilot, told)
    text = page.locator("main").inner_text()
    for part in ("It holds", "12.34 DCU", "Bank of the South", "unspent as of", "bank-2, bank-3"):
        assert part in text


def test_an_output_is_looked_up(pilot: Pilot, told: Told, page: Page) -> None:
    look_up_receipt(page, pilot, told)
    ref = find_ref(page)
    page.goto(pilot.get_url("registration"))
    page.get_by_label("Its reference").fill(ref)
    page.locator("form[action='/output'] button").click()
    assert page.locator(".answer").inner_text() == "Registered, and not spent."
    assert page.url.endswith(f"/output/{ref}")
    page.goto(pilot.get_url("registration") + "/output/" + "0" * 64)
    assert page.locator(".answer").inner_text() == "Not registered as of this checkpoint."


def test_the_supply_is_drawn(pilot: Pilot, told: Told, page: Page) -> None:
    """P6: over time, with every change."""
    del told
    page.goto(pilot.get_url("registration") + "/supply")
    assert page.locator(".answer").inner_text() == "550.00 DCU"
    assert page.locator("svg path.line").count() == 1
    rows = page.locator("tbody tr").all_inner_texts()
    assert [row.split("\t")[2:] for row in rows] == [
        ["-30.00 DCU", "550.00 DCU"],
        ["80.00 DCU", "580.00 DCU"],
        ["500.00 DCU", "500.00 DCU"],
    ]
    found = pilot.fetch(pilot.get_url("registration") + "/supply.csv").data.decode()
    assert [line.split(",")[2] for line in found.split()[1:]] == ["50000", "58000", "55000"]


def run_lines(text: str, folder: Path) -> str:
    """As a visitor would paste them, with our `specie` on the path."""
    lines = "\n".join(
        html.unescape(one) for one in re.findall(r"<pre>(.*?)</pre>", text, re.DOTALL)
    )
    path = f"{Path(sys.executable).parent}:{os.defpath}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=folder,
        env={"PATH": path, "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_printed_lines_work(pilot: Pilot, told: Told, tmp_path: Path) -> None:
    """X3: with `curl`, `openssl` and `specie`, from an empty folder."""
    del told
    page = pilot.fetch(pilot.get_url("registration") + "/verify").data.decode()
    said = run_lines(page, tmp_path)
    assert said.count("Signature Verified Successfully") == 1
    assert said.count("550.00 DCU") == 2
    assert "the id that you gave" in said


def test_an_outputs_lines_work(pilot: Pilot, told: Told, page: Page, tmp_path: Path) -> None:
    """P6: the signed state with a public key alone, the proof with the lists."""
    look_up_receipt(page, pilot, told)
    ref = find_ref(page)
    url = f"{pilot.get_url('registration')}/output/{ref}"
    said = run_lines(pilot.fetch(url).data.decode(), tmp_path)
    assert "Signature Verified Successfully" in said
    assert f"output {ref}\nstate unspent" in said
    assert f"output: {ref}" in said
    text = (tmp_path / "text").read_text()
    (tmp_path / "text").write_text(text.replace("unspent", "spent"))
    verify = "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in text -sigfile signature"
    done = subprocess.run(verify.split(), cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1


def test_what_was_spent_says_so(pilot: Pilot, told: Told, page: Page) -> None:
    """Bob pays on: the output of his receipt is spent, with a proof."""
    look_up_receipt(page, pilot, told)
    ref = find_ref(page)
    pilot.wallet("bob", "collect")
    pilot.wallet("bob", "deposit", "12.34")
    url = f"{pilot.get_url('registration')}/output/{ref}"
    pilot.wait(lambda: b"spent since" in pilot.fetch(url).data)
    assert pilot.fetch(f"{url}/spent-proof").status == 200
    assert b"\nstate spent\n" in pilot.fetch(f"{url}/state").data


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/output/xyz", 422, "message_malformed"),
        ("/output?ref=" + "A" * 64, 422, "message_malformed"),
        ("/output/" + "0" * 64 + "/proof", 404, "not_found"),
        ("/tile/0/../../keys.json", 404, "not_found"),
        ("/tile/..%2f..%2fkeys.json", 404, "not_found"),
        ("/keys.json", 404, "not_found"),
        ("/tile/entries/999", 404, "not_found"),
        ("/tile/entries/%00", 404, "not_found"),
        ("/tile/entries/" + "9" * 5_000, 404, "not_found"),
    ],
)
def test_wrong_questions_get_a_page(
    pilot: Pilot, told: Told, path: str, status: int, code: str
) -> None:
    """A browser gets a page, a program a problem."""
    del told
    url = pilot.get_url("registration") + path
    shown = pilot.fetch(url, headers={"accept": "text/html,*/*"})
    told_programs = pilot.fetch(url)
    assert (shown.status, told_programs.status) == (status, status)
    assert shown.headers["content-type"].startswith("text/html")
    assert told_programs.headers["content-type"] == "application/problem+json"
    assert code in shown.data.decode()
    assert json.loads(told_programs.data)["code"] == code


def test_a_changed_receipt_is_refused(pilot: Pilot, told: Told, page: Page) -> None:
    text = told.receipt.read_text()
    for changed in (text.replace("A", "B", 1), text[:-100], "no receipt", "<script>x</script>"):
        page.goto(pilot.get_url("registration"))
        page.get_by_label("Its text").fill(changed)
        page.locator("form[action='/receipt'] button").click()
        assert page.locator(".answer.bad").count() == 1
    url = pilot.get_url("registration") + "/receipt"
    assert pilot.fetch(url, "POST", body=b"receipt=" + b"x" * 2_000_000).status == 413


def test_pages_tell_browsers_to_be_careful(pilot: Pilot, told: Told) -> None:
    del told
    found = pilot.fetch(pilot.get_url("registration"))
    assert "default-src 'none'" in found.headers["content-security-policy"]
    assert found.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in found.headers


def test_nothing_is_written_down_of_who_looked(pilot: Pilot, told: Told, page: Page) -> None:
    """X5: no log of any process holds a reference that was looked up."""
    look_up_receipt(page, pilot, told)
    ref = find_ref(page)
    pilot.fetch(f"{pilot.get_url('registration')}/output/{ref}")
    assert ref not in pilot.read_logs()
