#!/usr/bin/env bash
# Set up everything that a make target needs, once: Python, Rust, a C compiler, .venv with the
# locked packages, the native kernel. A second run finds its stamps and returns at once.
# Usage: scripts/bootstrap.sh [tools|all]     tools: .venv without the native kernel
# Settings: PYTHON=/path/to/python to choose the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly WANT=${1:-all}
readonly PYTHON_MIN="3.11"
readonly STAMPS=.venv/stamps
export PATH="$PATH:$HOME/.cargo/bin"
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { echo "set-up: $*" >&2; }
fail() {
    echo "set-up failed: $*" >&2
    exit 1
}

# --- what belongs to what ------------------------------------------------------------------------

digest() { sha256sum | cut -c 1-64; }

# The place is part of it: a virtual environment does not survive being moved.
packages_stamp() { { pwd && cat requirements/dev.lock; } | digest; }

kernel_stamp() {
    {
        packages_stamp
        find pyproject.toml Cargo.toml Cargo.lock rust -type f -not -path '*/target/*' -print0 |
            LC_ALL=C sort -z | xargs -0 sha256sum
    } | digest
}

is_done() { [ -f "$STAMPS/$1" ] && [ "$(cat "$STAMPS/$1")" = "$2" ]; }
set_done() { mkdir -p "$STAMPS" && echo "$2" >"$STAMPS/$1"; }

have_packages() {
    is_done packages "$(packages_stamp)" && .venv/bin/python -c '' 2>/dev/null
}

have_kernel() {
    is_done kernel "$(kernel_stamp)" && compgen -G 'src/specie/_kernel*.so' >/dev/null
}

have_all() { have_packages && if [ "$WANT" = all ]; then have_kernel; fi; }

# --- the machine ---------------------------------------------------------------------------------

is_debian_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() {
    say "installing $* with apt-get (about a minute)"
    run_logged "apt-get could not install $*" bash -c \
        'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$@"' _ "$@"
}

# run_logged MESSAGE COMMAND...: quiet unless it fails; then the end of its output and MESSAGE.
run_logged() {
    local message=$1 log
    shift
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        rm -f "$log"
        fail "$message"
    fi
    rm -f "$log"
}

is_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# Prints the first interpreter that is new enough and can make virtual environments.
find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3.11 python3.12 python3.13 python3.14 python3; do
        if "$candidate" - "$PYTHON_MIN" 2>/dev/null <<'PYTHON'; then
import ensurepip, sys, venv
sys.exit(sys.version_info < tuple(map(int, sys.argv[1].split("."))))
PYTHON
            command -v "$candidate"
            return
        fi
    done
    return 1
}

check_python() {
    find_python >/dev/null && return
    if is_debian_root; then
        apt_install python3 python3-venv
        find_python >/dev/null && return
    fi
    fail "Python $PYTHON_MIN or newer with venv is needed (Debian: apt-get install python3" \
        "python3-venv); another one can be named with PYTHON=/path/to/python"
}

check_compiler() {
    command -v cc >/dev/null && return
    if is_debian_root; then
        apt_install build-essential
        return
    fi
    fail "a C compiler is needed to link the kernel (Debian: apt-get install build-essential)"
}

rust_wanted() { sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' Cargo.toml | head -n 1; }
rust_found() { cargo --version 2>/dev/null | cut -d ' ' -f 2; }
rust_packaged() {
    apt-cache policy cargo 2>/dev/null | sed -n 's/^ *Candidate: \([0-9.]*\).*/\1/p'
}

check_rust() {
    local wanted found
    wanted=$(rust_wanted)
    [ -n "$wanted" ] || fail "Cargo.toml names no rust-version"
    found=$(rust_found || true)
    is_at_least "$found" "$wanted" && return
    if is_debian_root && is_at_least "$(rust_packaged)" "$wanted"; then
        apt_install cargo rustc rustfmt rust-clippy
        is_at_least "$(rust_found)" "$wanted" && return
    fi
    fail "Rust $wanted or newer is needed, found ${found:-none}. Install it with rustup:" \
        "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"
}

# Tests of the second engine start a server of their own; without its programs they are skipped.
check_postgres() {
    command -v initdb >/dev/null && return
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && return
    if is_debian_root && (apt_install postgresql); then return; fi
    say "no PostgreSQL here: tests of that engine are skipped (Debian: apt-get install postgresql)"
}

# Tests of keys in a hardware module use SoftHSM; without it they are skipped.
check_softhsm() {
    command -v softhsm2-util >/dev/null && return
    if is_debian_root && (apt_install softhsm2); then return; fi
    say "no SoftHSM here: tests of PKCS#11 are skipped (Debian: apt-get install softhsm2)"
}

# The registration's site is looked at in a real browser; without one these tests are skipped.
check_chromium() {
    command -v chromium >/dev/null && return
    if is_debian_root && (apt_install chromium); then return; fi
    say "no Chromium here: tests of pages are skipped (Debian: apt-get install chromium)"
}

# --- the steps -----------------------------------------------------------------------------------

install_packages() {
    local python
    python=$(find_python)
    say "installing the locked Python packages into .venv (about half a minute)"
    rm -rf .venv
    run_logged "could not create .venv with $python" "$python" -m venv .venv
    run_logged "could not install requirements/dev.lock (is the package index reachable?)" \
        .venv/bin/python -m pip install --quiet --require-hashes -r requirements/dev.lock
    set_done packages "$(packages_stamp)"
}

install_kernel() {
    local stamp
    stamp=$(kernel_stamp)
    say "building the native kernel and installing specie (two minutes the first time)"
    run_logged "could not build the native kernel (above: the end of the compiler's output)" \
        env VIRTUAL_ENV="$PWD/.venv" PIP_NO_INDEX=1 .venv/bin/maturin develop --release --locked
    set_done kernel "$stamp"
}

main() {
    case "$WANT" in all | tools) ;; *) fail "unknown part: $WANT (all or tools)" ;; esac
    if have_all; then return; fi
    command -v flock >/dev/null || fail "flock is needed (Debian: apt-get install util-linux)"
    exec 9>.bootstrap.lock
    if ! flock --nonblock 9; then
        say "another set-up is at work here; waiting for it"
        flock 9
        if have_all; then return; fi
    fi
    if ! have_packages; then
        check_python
        install_packages
    fi
    if [ "$WANT" = all ] && ! have_kernel; then
        check_compiler
        check_rust
        install_kernel
    fi
    if [ "$WANT" = all ]; then
        check_postgres
        check_softhsm
        check_chromium
    fi
    say "ready"
}

main
