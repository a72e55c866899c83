#!/usr/bin/env bash
# Builds the release server and starts it in the foreground with its embedded defaults: SQLite in ./data, loopback only.
# Installs the Debian packages that the build needs, if missing. Arguments go to `callrelay serve`.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

ensure_swift
ensure_packages "${BUILD_PACKAGES[@]}"
say "building the release server (the first time takes about ten minutes)"
swift build "${RELEASE_FLAGS[@]}" --product callrelay
say "starting callrelay; Ctrl-C stops it"
exec .build/release/callrelay serve "$@"
