#!/usr/bin/env bash
# Shows from the release binary that the packet path allocates nothing, counts no reference and copies no payload.
#
#   scripts/hot-path.sh [BINARY]      default: .build/release/callrelay
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$root/scripts/lib.sh"

binary=${1:-$root/.build/release/callrelay}
[ -f "$binary" ] || fail "$binary is not there; build it first: swift build ${RELEASE_FLAGS[*]} --product callrelay"
ensure_swift
for tool in addr2line nm objdump; do
    command -v "$tool" >/dev/null || fail "$tool is not there; it is in the Debian package binutils"
done
exec python3 "$root/Tests/e2e/hot_path.py" "$binary"
