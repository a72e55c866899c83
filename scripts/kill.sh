#!/usr/bin/env bash
# Kills a server with SIGKILL at random moments of call traffic on PostgreSQL, ROUNDS times (default 200), and then looks
# whether everything that it had acknowledged is there and everything in its outbox went out. A round takes about a second.
# The seed is printed; KILL_SEED=… begins with the same choices, though a race is never quite the same.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

rounds=${ROUNDS:-200}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || fail "ROUNDS=$rounds is no number of rounds"

ensure_swift
ensure_packages "${TEST_PACKAGES[@]}"
ensure_python_environment
say "building release"
swift build "${RELEASE_FLAGS[@]}"
export CALLRELAY_BIN_DIR=$PWD/.build/release CALLRELAY_KILL_ROUNDS=$rounds
[ -z "${KILL_SEED:-}" ] || export CALLRELAY_KILL_SEED=$KILL_SEED
say "$rounds rounds"
.venv/bin/python -m pytest -s Tests/e2e/test_kill.py
