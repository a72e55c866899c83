#!/usr/bin/env bash
# Simulates a thousand clients on a bad network for SEEDS seeds (default 100), shared among the processors. A seed that
# fails is printed; PROPERTY_SEED=… SEEDS=1 plays it again. SIMULATION_CLIENTS changes the number of clients.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

seeds=${SEEDS:-100}
[[ $seeds =~ ^[1-9][0-9]*$ ]] || fail "SEEDS=$seeds is no number of seeds"
jobs=$(nproc)
if [ "$jobs" -gt "$seeds" ]; then jobs=$seeds; fi

ensure_swift
ensure_packages "${BUILD_PACKAGES[@]}"
say "building debug with the tests"
swift build --build-tests "${DEBUG_FLAGS[@]}"
tests=$(swift build --show-bin-path "${DEBUG_FLAGS[@]}")/callrelayPackageTests.xctest

# One run has consecutive seeds from the first; the runs' ranges lie side by side.
first=${PROPERTY_SEED:-$(od -An -N6 -tu8 /dev/urandom | tr -d ' ')}
say "$seeds seeds from PROPERTY_SEED=$first in $jobs processes"
logs=.build/test-logs
mkdir -p "$logs"
rm -f "$logs"/simulation-*.log
pids=()
share=$(((seeds + jobs - 1) / jobs))
for ((start = 0; start < seeds; start += share)); do
    count=$((seeds - start < share ? seeds - start : share))
    PROPERTY_SEED=$((first + start)) SIMULATION_SEEDS=$count \
        "$tests" --testing-library swift-testing --filter SimulationTests >"$logs/simulation-$start.log" 2>&1 &
    pids+=("$!")
done
status=0
for pid in "${pids[@]}"; do wait "$pid" || status=1; done
grep -hE '^simulation:|✘|✔ Test run' "$logs"/simulation-*.log || true
[ "$status" -eq 0 ] || fail "a simulation failed; logs in $logs"
