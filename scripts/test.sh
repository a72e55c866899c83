#!/usr/bin/env bash
# Builds and runs every suite. Installs what the tests need, if missing: Debian packages through apt (no service is
# started or enabled) and a Python environment in .venv. Ends with the test runners' own summaries.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

logs=.build/test-logs
swift_log=$logs/swift-test.log
pytest_log=$logs/pytest.log

summary() {
    local status=$?
    say "summary (full logs in $logs)"
    if [ -f "$swift_log" ]; then
        grep -E '(✔|✘) Test run with|Test run with [0-9]+ tests?' "$swift_log" | tail -n 1 ||
            echo "swift test: no summary; see $swift_log"
    else
        echo "swift test: not reached"
    fi
    if [ -f "$pytest_log" ]; then
        grep -E '[0-9]+ (passed|failed|error)' "$pytest_log" | tail -n 1 || echo "pytest: no summary; see $pytest_log"
    else
        echo "pytest: not reached"
    fi
    if [ "$status" -eq 0 ]; then echo "all suites passed"; else echo "FAILED (exit $status)"; fi
}

ensure_swift
ensure_packages "${TEST_PACKAGES[@]}"
ensure_python_environment
mkdir -p "$logs"
rm -f "$swift_log" "$pytest_log"
trap summary EXIT

scripts/lint.sh

say "building debug with the tests"
swift build --build-tests "${DEBUG_FLAGS[@]}"
say "swift test"
swift test --skip-build "${DEBUG_FLAGS[@]}" 2>&1 | tee "$swift_log"

say "building release"
swift build "${RELEASE_FLAGS[@]}"
say "end-to-end tests"
CALLRELAY_BIN_DIR=$PWD/.build/release .venv/bin/python -m pytest Tests/e2e -ra 2>&1 | tee "$pytest_log"
