#!/usr/bin/env bash
# Plays random interleavings of three users on two nodes against the reference of the rules of calls, for SEEDS seeds
# (default 10000), and ends with a table of what was reached. A seed that fails is printed; MODEL_SEED=… plays it again.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

first=${MODEL_SEED:-0}
# A seed that is named is played alone, if nothing else is said.
seeds=${SEEDS:-$([ -n "${MODEL_SEED:-}" ] && echo 1 || echo 10000)}
[[ $seeds =~ ^[1-9][0-9]*$ ]] || fail "SEEDS=$seeds is no number of seeds"
[[ $first =~ ^[0-9]+$ ]] || fail "MODEL_SEED=$first is no seed"

ensure_swift
ensure_packages "${BUILD_PACKAGES[@]}"
say "building debug with the tests"
swift build --build-tests "${DEBUG_FLAGS[@]}"
tests=$(swift build --show-bin-path "${DEBUG_FLAGS[@]}")/callrelayPackageTests.xctest

say "$seeds seeds from MODEL_SEED=$first"
MODEL_SEED=$first MODEL_SEEDS=$seeds "$tests" --testing-library swift-testing --filter CallInterleavingTests
