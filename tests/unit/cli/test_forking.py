"""Copies of a process that has imported everything (T1): what they begin with, and how they end.

Whoever forks has no thread, so it is no test that forks, but a process of its own.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_PARENT = """
import json, os, signal, subprocess, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from specie.cli import forking

def act():
    what = sys.argv[1]
    if what == "files":
        found = sorted(os.listdir("/proc/self/fd"))
        print(json.dumps([found, sys.stdin.read(), os.getsid(0) == os.getpid()]))
    elif what == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf", flush=True)
        time.sleep(60)
    elif what == "broken":
        raise LookupError("a fault of ours")
    elif what == "thread":
        threading.Thread(target=lambda: (time.sleep(0.2), print("to its end"))).start()
    elif what == "pool":
        ThreadPoolExecutor().submit(print, "in a pool").result()
        raise LookupError("with a pool that nobody has closed")
    elif what == "told":
        sys.exit("a sentence")
    else:
        sys.exit(int(what))

forking.main = act
log = Path(sys.argv[1])
def fork(what):
    return forking.fork([what], log)

"""


def run_parent(script: str, log: Path) -> Any:
    """What it prints, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", _PARENT + script, str(log)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_begins_with_nothing_of_its_parents(tmp_path: Path) -> None:
    script = "kept = open(sys.argv[1] + '.kept', 'w'); print(json.dumps(fork('files').wait(30)))"
    assert run_parent(script, tmp_path / "log") == 0
    files, read, is_leader = json.loads((tmp_path / "log").read_text())
    assert [one for one in files if int(one) > 3] == []  # 3 is the list's own
    assert (read, is_leader) == ("", True)


def test_how_it_has_ended_is_known(tmp_path: Path) -> None:
    script = """
codes = [fork(one).wait(30) for one in ("0", "3", "broken", "thread", "pool", "told")]
killed = fork("deaf")
os.kill(killed.pid, signal.SIGKILL)
codes.append(killed.wait(30))
print(json.dumps([codes, killed.poll(), killed.terminate()]))
"""
    codes, again, _ = run_parent(script, tmp_path / "log")
    assert codes == [0, 3, 70, 0, 70, 1, -9]
    assert again == -9
    said = (tmp_path / "log").read_text()
    assert "LookupError: a fault of ours" in said
    assert "to its end" in said
    assert "a sentence" in said


def test_who_waits_for_a_deaf_one_is_told_in_time(tmp_path: Path) -> None:
    """As `specie up` does at its end: what does not end is killed."""
    script = """
deaf = fork("deaf")
while not log.exists() or "deaf" not in log.read_text():
    time.sleep(0.01)
deaf.terminate()
try:
    deaf.wait(0.2)
    told = "it ended"
except subprocess.TimeoutExpired:
    told = "it did not"
os.killpg(deaf.pid, signal.SIGKILL)
print(json.dumps([told, deaf.wait(30)]))
"""
    assert run_parent(script, tmp_path / "log") == ["it did not", -9]


def test_who_has_threads_forks_nothing(tmp_path: Path) -> None:
    script = """
waiting = threading.Event()
threading.Thread(target=waiting.wait).start()
try:
    told = fork("0").pid
except RuntimeError as error:
    told = str(error)
waiting.set()
print(json.dumps(told))
"""
    told = run_parent(script, tmp_path / "log")
    assert told == "a copy would wait for ever for what a thread holds"


def test_who_is_stopped_leaves_nobody_behind(tmp_path: Path) -> None:
    """A ceremony that went on would draw keys in a folder that nobody looks after."""
    script = """
pid = log.with_suffix(".pid")

def make():
    pid.with_suffix(".draft").write_text(str(os.getpid()))
    pid.with_suffix(".draft").rename(pid)
    time.sleep(60)

def stop():
    while not pid.exists():
        time.sleep(0.01)
    raise KeyboardInterrupt

try:
    forking.call_apart(make, stop)
except KeyboardInterrupt:
    pass
try:
    os.kill(int(pid.read_text()), 0)
    told = "it goes on"
except ProcessLookupError:
    told = "it has ended"
print(json.dumps(told))
"""
    assert run_parent(script, tmp_path / "log") == "it has ended"


def test_what_was_made_apart_comes_back(tmp_path: Path) -> None:
    """Also an error, as it was; one that is killed is an error, too."""
    script = """
from functools import partial
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

def refuse():
    raise SpecieError(ErrorCode.SETTING_INVALID, "no such place")

def die():
    os.kill(os.getpid(), signal.SIGKILL)

told = []
for make in (os.getpid, refuse, die):
    try:
        told.append(forking.call_apart(make, lambda: None) != os.getpid())
    except SpecieError as error:
        told.append(str(error))
print(json.dumps(told))
"""
    assert run_parent(script, tmp_path / "log") == [
        True,
        "setting_invalid: no such place",
        "store_unusable: stopped half-way: remove what is in the folder, and begin again",
    ]
