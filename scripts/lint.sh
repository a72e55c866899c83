#!/usr/bin/env bash
# Fails on a Swift file that is not formatted and on a shell script that shellcheck complains about. Installs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

say "swift format lint"
swift format lint --strict --parallel --recursive Sources Tests Fuzz Package.swift
say "shellcheck"
shellcheck --external-sources scripts/*.sh deploy/*.sh .ci/run
