#!/usr/bin/env bash
# Fuzzes one target with libFuzzer, under AddressSanitizer, optimised and with assertions. Installs what the build needs,
# if missing. What the fuzzer learns stays in .build/fuzz-corpora and is where the next run goes on.
#
#   scripts/fuzz.sh TARGET [SECONDS]     TARGET: message, channeldata, deframer, icmp, relay; SECONDS: 60
#   scripts/fuzz.sh TARGET distill       makes Tests/Corpora/TARGET anew, as small as it can be, from all that is known
#   scripts/fuzz.sh TARGET INPUT         replays one input
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source-path=SCRIPTDIR source=lib.sh
. scripts/lib.sh

readonly most_inputs=64 longest_input=2048
target=${1:-} action=${2:-60}
case "$target" in
    message | channeldata | deframer | icmp | relay) ;;
    *) fail "which target? one of: message channeldata deframer icmp relay (make fuzz T=message TIME=60)" ;;
esac

ensure_swift
ensure_packages "${BUILD_PACKAGES[@]}"
say "building the fuzzer (the first time takes some minutes)"
mkdir -p .build
# The environment variable adds the fuzzer to the manifest; the scratch path keeps its flags from all other builds.
CALLRELAY_FUZZ=1 swift build -c release --scratch-path .build/fuzz --sanitize=address --product fuzz
fuzzer=.build/fuzz/release/fuzz
known=.build/fuzz-corpora/$target committed=Tests/Corpora/$target findings=.build/fuzz-findings
mkdir -p "$known" "$committed" "$findings"
# A trap is to reach libFuzzer, not Swift's own crash reporter.
export FUZZ_TARGET=$target SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=malloc_context_size=4

replay() {
    exec "$fuzzer" "$1"
}

distill() {
    local fresh
    fresh=$(mktemp -d)
    "$fuzzer" -max_len="$longest_input" -set_cover_merge=1 "$fresh" "$known" "$committed" 2>&1 | tail -n 1
    # What has a name of its own found something once; only what is named by its hash is replaced.
    find "$committed" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
    # The longest inputs reach the most.
    find "$fresh" -type f -printf '%s %p\n' | sort -rn | sed -n "1,${most_inputs}s/^[0-9]* //p" |
        xargs -d '\n' -r cp -t "$committed"
    rm -rf "$fresh"
    say "$committed has $(find "$committed" -type f | wc -l) inputs, $(du -sb "$committed" | cut -f1) bytes"
}

run() {
    local log=$findings/$target.log status=0
    say "fuzzing $target for $1 seconds (log: $log)"
    "$fuzzer" -max_total_time="$1" -max_len="$longest_input" -len_control=10 -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$findings/$target-" "$known" "$committed" >"$log" 2>&1 || status=$?
    grep -E '^stat::(number_of_executed_units|average_exec_per_sec|new_units_added|peak_rss_mb)' "$log" || true
    grep -E '\b(cov|ft): [0-9]+' "$log" | tail -n 1 || true
    [ "$status" -ne 0 ] || return 0
    grep -E 'finding:|Fatal error|ERROR: |SUMMARY: ' "$log" | head -n 5 || true
    local input
    input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    echo "input:  ${input:-none was written, see $log}"
    echo "replay: make fuzz T=$target INPUT=$input"
    echo "Once it is mended, put the input into $committed under a name that says what it found: make test then replays it for good."
    exit 1
}

case "$action" in
    distill) distill ;;
    *[!0-9]*)
        [ -f "$action" ] || fail "no such input: $action"
        replay "$action"
        ;;
    *) run "$action" ;;
esac
