#!/usr/bin/env bash
# The quick gates: format, shellcheck, undeclared imports, import directions. Installs shellcheck and what the build
# needs, if missing.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

ensure_swift
ensure_packages "${BUILD_PACKAGES[@]}" shellcheck
scripts/lint.sh
say "building with the check of undeclared imports"
swift build --build-tests "${DEBUG_FLAGS[@]}"
say "import directions"
swift test --skip-build "${DEBUG_FLAGS[@]}" --filter ArchitectureTests
