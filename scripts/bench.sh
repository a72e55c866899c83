#!/usr/bin/env bash
# Measures the relay beside coturn and a bare forwarder and writes docs/benchmarks.md. Builds what it measures first, if
# it changed. `--help` lists the options; with `--from` nothing is built or run, only the report is written again.
#
#   scripts/bench.sh [--quick] [--only SECTION ...] [--rounds 6] [--seconds 10] [--out docs] [--json FILE]
#                    [--coturn PATH] [--from FILE ...]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

only_reports() {
    local argument
    for argument in "$@"; do
        case "$argument" in
            --from | --from=* | -h | --help) return 0 ;;
        esac
    done
    return 1
}

if only_reports "$@"; then
    ensure_packages python3
else
    ensure_swift
    # ethtool: switches GRO on where it is off. util-linux: taskset.
    ensure_packages "${BUILD_PACKAGES[@]}" coturn ethtool iproute2 python3 util-linux
    swift build "${RELEASE_FLAGS[@]}" --product callrelay
    swift build "${RELEASE_FLAGS[@]}" --product turn-bench
    swift build "${RELEASE_FLAGS[@]}" --product turn-simulation
fi
CALLRELAY_BIN_DIR=$PWD/.build/release exec python3 Tests/bench/bench.py "$@"
