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

# About half of all by their time, which is mostly spent waiting, for browsers and a homeserver: run beside the others.
WAITING_TESTS=('test_call_page*.py' 'test_firefox_*.py' test_homeserver_turn.py test_matrix_events.py test_matrix_identity.py)
# What is run when nothing else is: it measures, or has to answer in time.
ALONE='alone or hurried'

# Runs a command with a PostgreSQL and a Redis server of its own.
with_services() { .venv/bin/python Tests/e2e/with_services.py "$@"; }

logs=.build/test-logs
swift_log=$logs/swift-test.log
pytest_log=$logs/pytest.log
waiting_log=$logs/pytest-waiting.log
waiting_pid=

summary() {
    local status=$?
    # It is a process group of its own, with its servers and browsers.
    if [ -n "$waiting_pid" ]; then kill -TERM -- "-$waiting_pid" 2>/dev/null || true; fi
    say "summary (full logs in $logs)"
    if [ -f "$swift_log" ]; then
        grep -E '^✘ Test .* recorded an issue|: error: ' "$swift_log" | head -n 20 || true
        grep -E '(✔|✘) Test run with|Test run with [0-9]+ tests?' "$swift_log" | tail -n 1 ||
            echo "swift test: no summary; see $swift_log"
    else
        echo "swift test: not reached"
    fi
    if [ -f "$pytest_log" ]; then
        cat "$waiting_log" >>"$pytest_log" 2>/dev/null || true
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
rm -f "$swift_log" "$pytest_log" "$waiting_log"
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
# The end-to-end tests, with further arguments of pytest's: those that may be run beside others, and those that may not.
beside() { .venv/bin/python -m pytest -m "not ($ALONE)" "$@"; }
alone() { .venv/bin/python -m pytest -m "$ALONE" "$@"; }

export CALLRELAY_TEST_WORKERS=3
say "end-to-end tests that wait, beside those that follow (in $waiting_log until they are over)"
set -m
# shellcheck disable=SC2068 # the patterns are for the shell
beside ${WAITING_TESTS[@]/#/Tests/e2e/} >"$waiting_log" 2>&1 &
waiting_pid=$!
set +m
say "end-to-end tests, the relay with three shards"
beside Tests/e2e "${WAITING_TESTS[@]/#/--ignore-glob=*/}" 2>&1 | tee -a "$pytest_log"
say "the relay's end-to-end tests with one shard"
CALLRELAY_TEST_WORKERS=1 beside "${RELAY_TESTS[@]/#/Tests/e2e/}" 2>&1 | tee -a "$pytest_log"
say "the calls' end-to-end tests on PostgreSQL"
with_services .venv/bin/python -m pytest "${CALL_TESTS[@]/#/Tests/e2e/}" 2>&1 | tee -a "$pytest_log"
say "the end of those that wait"
waiting_status=0
wait "$waiting_pid" || waiting_status=$?
waiting_pid=
cat "$waiting_log"
[ "$waiting_status" -eq 0 ] || exit "$waiting_status"
say "end-to-end tests that want the machine for themselves"
alone Tests/e2e 2>&1 | tee -a "$pytest_log"
CALLRELAY_TEST_WORKERS=1 alone "${RELAY_TESTS[@]/#/Tests/e2e/}" 2>&1 | tee -a "$pytest_log"
