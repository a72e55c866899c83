#!/usr/bin/env bash
# Builds and runs the whole Swift test suite under a sanitizer, then end-to-end tests of the relay against a server that is
# built so too. Installs what the tests need, if missing. The first build takes about ten minutes, the tests a multiple
# of their usual time.
#
#   scripts/sanitize.sh address|thread [argument for swift test]...
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

# The relay's tests over real sockets. Left out are floods, which a sanitized server cannot keep up with, the count of
# allocations, which counts the sanitizer's too, and browsers, which bring load of their own.
RELAY_TESTS=(
    test_aiortc.py test_call_relay.py test_deployment.py test_dual_stack.py test_long_term_credentials.py
    test_relay_shortage.py test_turn_interop.py test_uclient.py test_vulnerabilities.py
)

sanitizer=${1:-}
case "$sanitizer" in
    address) short=asan ;;
    thread) short=tsan ;;
    *) fail "which sanitizer? address or thread" ;;
esac
shift

ensure_swift
ensure_packages "${TEST_PACKAGES[@]}"
ensure_python_environment
logs=.build/test-logs
mkdir -p "$logs"
flags=(--sanitize="$sanitizer" --scratch-path ".build/$short" "${DEBUG_FLAGS[@]}")
# To the thread sanitizer an inout argument is a write to its address, and that of an empty struct, such as
# SystemRandomNumberGenerator, is undefined: it crashes at whatever stands there. So these are left out; what is really
# read and written is checked all the same.
if [ "$sanitizer" = thread ]; then
    left_out=$PWD/.build/tsan-inout.o
    clang -x c -c -o "$left_out" - <<<'void __wrap___tsan_external_write(void *address, void *caller, void *tag) {}'
    flags+=(-Xlinker "$left_out" -Xlinker --wrap=__tsan_external_write)
fi
swift_log=$logs/$short-swift-test.log
pytest_log=$logs/$short-pytest.log
server_log=$PWD/$logs/$short-server
rm -f "$swift_log" "$pytest_log" "$server_log".*

# Swift's runtime and NIO keep what they allocate once until the process ends, which a leak check would count. Leaks of our
# own are looked for elsewhere: by the malloc count, the flood's memory bound and the books of fuzzing and simulation.
options=detect_leaks=0
export ASAN_OPTIONS=$options TSAN_OPTIONS=
# A million hostile datagrams would take longer than all other tests together.
export HOSTILE_DATAGRAMS=${HOSTILE_DATAGRAMS:-100000}

say "building the tests for the $sanitizer sanitizer"
swift build --build-tests "${flags[@]}"
say "swift test"
.venv/bin/python Tests/e2e/with_services.py swift test --skip-build "${flags[@]}" "$@" 2>&1 | tee "$swift_log"
say "end-to-end tests of the relay with the sanitized server"
# A server's reports go to files of their own, since a test may not look at what the server wrote.
export ASAN_OPTIONS=$options:log_path=$server_log TSAN_OPTIONS=log_path=$server_log
CALLRELAY_BIN_DIR=$PWD/.build/$short/debug .venv/bin/python -m pytest -ra "${RELAY_TESTS[@]/#/Tests/e2e/}" 2>&1 |
    tee "$pytest_log"

say "summary (full logs in $logs)"
grep -E 'Test run with [0-9]+ tests?' "$swift_log" | tail -n 1
tail -n 1 "$pytest_log"
# A server that had nothing to report left no file, and grep would take its absence for "nothing found" in the others too.
shopt -s nullglob
! grep -hE 'WARNING: ThreadSanitizer|ERROR: AddressSanitizer' "$swift_log" "$pytest_log" "$server_log".* ||
    fail "the $sanitizer sanitizer has something to report; see $logs"
echo "no report of the $sanitizer sanitizer"
