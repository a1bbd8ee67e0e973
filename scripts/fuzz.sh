#!/usr/bin/env bash
# Every fuzz target for SPECIE_FUZZ_SECONDS (60), with fresh mutations; what was interesting is
# kept in .fuzz and begun from again. Ends at the first finding, and says how to feed it again.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${SPECIE_FUZZ_SECONDS:-60}
.venv/bin/python -c 'from tests.fuzz.targets import TARGETS; print("\n".join(TARGETS))' |
    while read -r target; do
        echo "fuzz: $target"
        folder=".fuzz/${target// /-}"
        mkdir -p "$folder"
        .venv/bin/python -m tests.fuzz.run "$target" --seconds "$seconds" --corpus .fuzz \
            2>"$folder/log" || { tail -n 20 "$folder/log" >&2; exit 1; }
        sed -n 's/^stat::number_of_executed_units: */  inputs: /p' "$folder/log"
    done
