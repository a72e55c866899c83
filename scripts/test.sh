#!/usr/bin/env bash
# Builds and runs every suite. Installs what the tests need, if missing: Debian packages through apt (no service is
# started or enabled) and Python environments in .venv and .venv-synapse. Ends with the test runners' own summaries.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

# What depends on how many shards share the clients.
RELAY_TESTS=(
    test_aiortc.py test_call_relay.py test_dual_stack.py test_flood.py test_long_term_credentials.py test_turn_interop.py
    test_uclient.py test_vulnerabilities.py
)
# What depends on the database that calls live in.
CALL_TESTS=(
    test_bad_input.py test_bad_socket_input.py test_call_endings.py test_call_flow.py test_call_races.py
    test_call_relay.py test_idempotency.py test_matrix_bridge.py test_replay.py test_socketio_clients.py
)

# Runs a command with a PostgreSQL and a Redis server of its own.
with_services() { .venv/bin/python Tests/e2e/with_services.py "$@"; }

logs=.build/test-logs
swift_log=$logs/swift-test.log
pytest_log=$logs/pytest.log

summary() {
    local status=$?
    say "summary (full logs in $logs)"
    if [ -f "$swift_log" ]; then
        grep -E '^✘ Test .* recorded an issue|: error: ' "$swift_log" | head -n 20 || true
        grep -E '(✔|✘) Test run with|Test run with [0-9]+ tests?' "$swift_log" | tail -n 1 ||
            echo "swift test: no summary; see $swift_log"
    else
        echo "swift test: not reached"
    fi
    if [ -f "$pytest_log" ]; then
        grep -E '^(FAILED|ERROR) ' "$pytest_log" | head -n 20 || true
        grep -E '^=.*[0-9]+ (passed|failed|error)' "$pytest_log" || echo "pytest: no summary; see $pytest_log"
    else
        echo "pytest: not reached"
    fi
    if [ "$status" -eq 0 ]; then echo "all suites passed"; else echo "FAILED (exit $status)"; fi
}

ensure_swift
ensure_packages "${TEST_PACKAGES[@]}"
ensure_python_environment
ensure_homeserver_environment
mkdir -p "$logs"
rm -f "$swift_log" "$pytest_log"
trap summary EXIT

scripts/lint.sh
say "the benchmark's reports"
.venv/bin/python -m pytest Tests/bench 2>&1 | tee "$pytest_log"

say "building debug with the tests"
swift build --build-tests "${DEBUG_FLAGS[@]}"
say "swift test"
with_services swift test --skip-build "${DEBUG_FLAGS[@]}" 2>&1 | tee "$swift_log"

say "building release"
swift build "${RELEASE_FLAGS[@]}"
export CALLRELAY_BIN_DIR=$PWD/.build/release
say "end-to-end tests, the relay with three shards"
CALLRELAY_TEST_WORKERS=3 .venv/bin/python -m pytest Tests/e2e 2>&1 | tee -a "$pytest_log"
say "the relay's end-to-end tests with one shard"
CALLRELAY_TEST_WORKERS=1 .venv/bin/python -m pytest "${RELAY_TESTS[@]/#/Tests/e2e/}" 2>&1 | tee -a "$pytest_log"
say "the calls' end-to-end tests on PostgreSQL"
with_services .venv/bin/python -m pytest "${CALL_TESTS[@]/#/Tests/e2e/}" 2>&1 | tee -a "$pytest_log"
