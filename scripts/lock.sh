#!/usr/bin/env bash
# Write requirements/*.lock: every version and hash, no address of a registry.
# The locks hold for every supported Python and platform. Usage: scripts/lock.sh [--upgrade]
set -euo pipefail
cd "$(dirname "$0")/.."

compile() { # compile OUTPUT ARGUMENT...
    local output=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --output-file "$output" "$@"
}

compile requirements/runtime.lock pyproject.toml "$@"
# The tools are resolved under the runtime's lock, so that both install the same versions.
compile requirements/dev.lock pyproject.toml --group dev --constraint requirements/runtime.lock "$@"

if grep -n "://" requirements/*.lock; then
    echo "make lock: a lock names an address (above)" >&2
    exit 1
fi
echo "requirements/runtime.lock and requirements/dev.lock are up to date"
