#!/usr/bin/env bash
# Measures the relay beside coturn and a bare forwarder and writes docs/benchmarks.md, then signaling beside
# python-socketio's server and writes docs/benchmarks-signaling.md, then calls on each database and across two nodes and
# writes docs/benchmarks-databases.md. Builds what it measures first, if it changed.
# `--help` lists the options; with `--from` nothing is built or run, only the reports are written again.
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

# The sections that `--only` names, one a line; none, if all are to be measured.
chosen_sections() {
    while [ "$#" -gt 0 ]; do
        case "$1" in
            --only) printf '%s\n' "${2:-}" ;;
            --only=*) printf '%s\n' "${1#*=}" ;;
        esac
        shift
    done
}

build() { swift build "${RELEASE_FLAGS[@]}" --product "$1"; }

if only_reports "$@"; then
    ensure_packages python3
else
    chosen=$(chosen_sections "$@")
    ensure_swift
    # util-linux: taskset and findmnt.
    ensure_packages "${BUILD_PACKAGES[@]}" python3 util-linux
    build callrelay
    if [ -z "$chosen" ] || grep -qvxE 'signaling|databases' <<<"$chosen"; then
        # ethtool: switches GRO on where it is off.
        ensure_packages coturn ethtool iproute2
        build turn-bench
        build turn-simulation
    fi
    if [ -z "$chosen" ] || grep -qxE 'signaling|databases' <<<"$chosen"; then
        ensure_packages postgresql python3-venv redis-server
        ensure_python_environment
        build call-bench
    fi
fi
CALLRELAY_BIN_DIR=$PWD/.build/release exec python3 Tests/bench/bench.py "$@"
