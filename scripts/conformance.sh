#!/usr/bin/env bash
# Runs the conformance tests of Engine.IO and Socket.IO ROUNDS times (default 50) against one build, to meet the races
# that one round rarely meets. JOBS rounds (default: one for each processor) run at once, each with servers of its own.
# Builds the release server first, if it changed; with CALLRELAY_BIN_DIR the programs there are taken as they are. Each
# round that ends is told; a test that fails is named and its round's log is kept.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

CONFORMANCE_TESTS=(
    test_engineio_conformance.py test_engineio_races.py test_protocol_suites.py test_socketio_conformance.py
)

rounds=${ROUNDS:-50}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || fail "ROUNDS=$rounds is no number of rounds"
jobs=${JOBS:-$(nproc)}
[[ $jobs =~ ^[1-9][0-9]*$ ]] || fail "JOBS=$jobs is no number of rounds to run at once"

ensure_packages python3 python3-venv
ensure_python_environment
if [ -z "${CALLRELAY_BIN_DIR:-}" ]; then
    ensure_swift
    ensure_packages "${BUILD_PACKAGES[@]}"
    swift build "${RELEASE_FLAGS[@]}" --product socketio-echo
    export CALLRELAY_BIN_DIR=$PWD/.build/release
fi
logs=.build/test-logs/conformance
rm -rf "$logs"
mkdir -p "$logs"

# How many tests of a round's log ended so: `count LOG passed`.
count() {
    local number
    number=$(tail -n 1 "$1" | grep -oE "[0-9]+ $2" | cut -d ' ' -f 1) || number=0
    printf '%s' "$number"
}

run_round() {
    local log=$logs/round-$1.log status=0
    .venv/bin/python -m pytest --quiet --tb=short -p no:cacheprovider "${CONFORMANCE_TESTS[@]/#/Tests/e2e/}" \
        >"$log" 2>&1 || status=$?
    echo "round $1 of $rounds: $(tail -n 1 "$log")"
    grep -E '^(FAILED|ERROR)' "$log" | sed 's/^/    /' || true
    return "$status"
}

say "$rounds rounds, $jobs at once, against $CALLRELAY_BIN_DIR"
running=0
broken=0
for ((number = 1; number <= rounds; number++)); do
    if [ "$running" -ge "$jobs" ]; then
        wait -n || broken=$((broken + 1))
        running=$((running - 1))
    fi
    run_round "$number" &
    running=$((running + 1))
done
for (( ; running > 0; running--)); do wait -n || broken=$((broken + 1)); done

passed=0
failed=0
for log in "$logs"/round-*.log; do
    passed=$((passed + $(count "$log" passed)))
    failed=$((failed + $(count "$log" failed) + $(count "$log" error)))
done
say "$rounds rounds of $(((passed + failed) / rounds)) tests: $passed passed, $failed failed"
[ "$broken" -eq 0 ] || fail "$broken of $rounds rounds failed; logs in $logs"
