#!/usr/bin/env bash
# Shows where the time of a relayed packet goes in callrelay, in coturn and in the bare forwarder, sampled by perf under
# one load. Builds what it samples first, if it changed. `--help` lists the options.
#
#   scripts/profile.sh [--load voice|video|video-gso] [--rate 100000] [--seconds 5] [--direction up|down]
#                      [--coturn PATH]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

ensure_swift
# util-linux: taskset.
ensure_packages "${BUILD_PACKAGES[@]}" coturn linux-perf python3 util-linux
swift build "${RELEASE_FLAGS[@]}" --product callrelay
swift build "${RELEASE_FLAGS[@]}" --product turn-bench
CALLRELAY_BIN_DIR=$PWD/.build/release exec python3 Tests/bench/profiler.py "$@"
