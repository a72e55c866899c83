#!/usr/bin/env bash
# Sizes deployments of 1,000 to a million concurrent calls, plays their relays in virtual time, and writes docs/sizes.md.
# Installs what is missing. Takes about five minutes after the build; options go to scale-simulation, and then the tables
# go to standard output instead:
#
#   scripts/sizes.sh [--calls 50000 --hold-seconds 600 ...]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

ensure_swift
ensure_packages "${BUILD_PACKAGES[@]}"
say "building release"
swift build --product scale-simulation "${RELEASE_FLAGS[@]}" >&2
program=.build/release/scale-simulation
if [ "$#" -gt 0 ]; then exec "$program" "$@"; fi

document=docs/sizes.md
made=$(mktemp)
trap 'rm -f "$made"' EXIT
{
    cat <<'TEXT'
# Sizes

What loads of 1,000 to a million calls at the same time need, written by `make sizes`. [scaling.md](scaling.md) says what
to make of it.

## What a load needs

Averages of the busy hour, by Little's law: as many calls begin as end. Of the calls that are on, an answered one lasts
three minutes on average, 70 % of all are answered, after ten seconds; half of the answered ones have pictures (1.2 Mbit/s
each way, else voice alone), and a fifth needs a relay. For each call that is on, 20 sockets are connected, most of them
idle. Each side asks for an allocation at both relays that it was told of, needed or not, as browsers do. Processors and
networks are planned to be half used, ports too; of nodes and relays there is one more than is needed. Other loads:
`make sizes OPTIONS='--hold-seconds 600 --relayed 0.5'`.

TEXT
    "$program" --part sizes
    cat <<'TEXT'

## What becomes of the relays

Six minutes of these loads in virtual time, call by call: who is told of which relays is decided by the server's own code
(`RelayChoice`), by what servers know of relays' loads. Each relay says it every two seconds, and each server hears of all
as often, so that it is up to four seconds old. All calls that are on at the beginning are placed then; two minutes later
the figures begin, and three minutes after that the relay with the most to do dies. It is believed to be there for up to
six seconds more; those whose media it relayed restart ICE within the four seconds that follow.

TEXT
    "$program" --part relays
    cat <<'TEXT'

"Least loaded of all" sends whoever comes within some seconds to the same two relays. With a hundred thousand calls that
is a sixth more than the average on the fullest; with a million it is all of its ports, while others are half empty. "Two
at random" needs no load at all, and is uneven by chance alone. The least loaded of four that are drawn by the call is
what the server does ([why](decisions/0026-a-few-relays-are-drawn.md)).

## What things cost

On the machine of [the benchmarks](benchmarks-databases.md), and to be carried to another one with care.

TEXT
    "$program" --part costs
} >"$made"
# A half-made document would be worse than the old one.
cp "$made" "$document"
say "written: $document"
