#!/usr/bin/env bash
# Measures what the calls of one shard lose while somebody floods it. Builds the release server first, if it changed.
#
#   scripts/flood.sh [--rate 100000] [--seconds 10] [--clients 20] [--json] [none|peer|client|server ...]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

ensure_swift
ensure_packages "${BUILD_PACKAGES[@]}" python3 python3-venv
ensure_python_environment
swift build "${RELEASE_FLAGS[@]}" --product callrelay
CALLRELAY_BIN_DIR=$PWD/.build/release .venv/bin/python Tests/e2e/relay_under_load.py "$@"
