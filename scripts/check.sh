#!/usr/bin/env bash
# Every check that needs no running of the system. Runs all of them, shows what the failed ones said
# and what the others want known, and fails when one has failed. `make check` prepares and calls it.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

readonly LOG=$(mktemp)
trap 'rm -f "$LOG"' EXIT
failed=()

# check NAME COMMAND...: lines of the output that begin with "note:" are shown even on success.
check() {
    local name=$1 started=$SECONDS
    shift
    if "$@" >"$LOG" 2>&1; then
        printf '  ok      %-32s %3d s\n' "$name" $((SECONDS - started))
        sed -n 's/^note: /          /p' "$LOG"
    else
        printf '  FAILED  %-32s %3d s\n' "$name" $((SECONDS - started))
        sed 's/^/    /' "$LOG"
        failed+=("$name")
    fi
}

check "ruff: rules" ruff check --quiet
check "ruff: format" ruff format --check --quiet
check "mypy: types, strict" mypy
check "import-linter: layers" lint-imports
check "stubtest: stubs of the kernel" stubtest --mypy-config-file pyproject.toml \
    --allowlist scripts/stubtest_allowed.txt specie._kernel
check "rustfmt: format" cargo fmt --all --check
check "clippy: lints" cargo clippy --quiet --workspace --all-targets --locked -- -D warnings
check "tidy: sizes, words, references" pytest -q tests/test_tidy.py
check "licences, sources, duplicates" python -m scripts.check_licences
check "advisories" python -m scripts.check_advisories

if [ ${#failed[@]} -gt 0 ]; then
    printf -v list '%s; ' "${failed[@]}"
    echo "make check: failed: ${list%; }" >&2
    exit 1
fi
echo "make check: all passed"
