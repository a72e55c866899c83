#!/usr/bin/env bash
# Shows that relaying a packet allocates nothing: runs the server with a counting malloc and relays 100,000 packets.
#
#   scripts/malloc-count.sh [COMMAND...]      default: .build/release/callrelay serve
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ "$#" -eq 0 ]; then
    set -- "$root/.build/release/callrelay" serve
fi
if [ ! -x "$1" ]; then
    echo "malloc-count: $1 is not there; build it first: swift build -c release --product callrelay" >&2
    exit 1
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${CC:-clang}" -O2 -Wall -Wextra -Werror -shared -fPIC -o "$scratch/alloc_counter.so" "$root/Tests/AllocCounter/alloc_counter.c"
python3 "$root/Tests/e2e/relay_malloc_count.py" --counter "$scratch/alloc_counter.so" -- "$@"
