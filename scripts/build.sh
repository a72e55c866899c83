#!/usr/bin/env bash
# Builds the release binaries into .build/release. Installs the Debian packages that the build needs, if missing.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

ensure_swift
ensure_packages "${BUILD_PACKAGES[@]}"
say "building release (the first time takes about ten minutes)"
swift build "${RELEASE_FLAGS[@]}"
