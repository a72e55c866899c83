# shellcheck shell=bash
# Shared by the scripts beside it: source it after `set -euo pipefail`.

# One set of flags per configuration: another set in the same .build would build every dependency again.
# Both lists are read by the scripts that source this file.
# shellcheck disable=SC2034
RELEASE_FLAGS=(-c release --static-swift-stdlib -Xcc -fno-omit-frame-pointer -Xswiftc -g)
# shellcheck disable=SC2034
DEBUG_FLAGS=(--explicit-target-dependency-import-check error)

# What the binaries link: GRDB the system's SQLite, the store of PostgreSQL its client library, the cluster Redis' own.
# pkg-config: without it Swift's package manager does not find where Debian keeps libpq's headers.
BUILD_PACKAGES=(libhiredis-dev libpq-dev libsqlite3-dev pkg-config)
# coturn: its load generator is a peer of the relay's tests. chromium, firefox-esr: the call page's tests. postgresql,
# redis-server: throw-away servers, and psql. procps: their processes. iproute2: small networks for the tests of IP headers.
# binutils: the release binary's machine code, for the proof that the packet path allocates nothing. haproxy: the front of
# two nodes, as deploy/ has it.
# shellcheck disable=SC2034
TEST_PACKAGES=(
    "${BUILD_PACKAGES[@]}" binutils chromium coturn curl firefox-esr haproxy iproute2 jq openssl postgresql procps python3
    python3-venv redis-server shellcheck
)

say() { printf '==> %s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "cannot run '$*': neither root nor sudo"
    fi
}

is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Installs those of the named Debian packages that are missing, without starting or enabling any service.
ensure_packages() {
    local package missing=()
    command -v dpkg-query >/dev/null || {
        say "no dpkg here: make sure that these are installed: $*"
        return
    }
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "installing Debian packages: ${missing[*]}"
    local policy=/usr/sbin/policy-rc.d placed=false
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        placed=true
    fi
    local status=0
    { as_root apt-get update -q &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"; } ||
        status=$?
    if "$placed"; then as_root rm -f "$policy"; fi
    [ "$status" -eq 0 ] || fail "apt-get could not install: ${missing[*]}"
    for package in "${missing[@]}"; do
        case "$package" in
            coturn | haproxy | postgresql | redis-server) disable_service "$package" ;;
        esac
    done
}

# The tests use the binaries alone; a service that nobody asked for would also hold the ports.
disable_service() {
    say "leaving the service '$1' off (only its programs are used)"
    if command -v systemctl >/dev/null; then
        as_root systemctl disable "$1" >/dev/null 2>&1 || say "systemctl could not disable '$1'; check it yourself"
    else
        as_root update-rc.d "$1" disable >/dev/null 2>&1 || say "update-rc.d could not disable '$1'; check it yourself"
    fi
}

ensure_swift() {
    command -v swift >/dev/null || fail "swift is not installed; see https://www.swift.org/install/linux/"
}

# What the end-to-end tests run with.
ensure_python_environment() { ensure_virtual_environment .venv Tests/e2e/requirements.txt; }

# The Matrix homeserver that some of them start. It wants versions of its own.
ensure_homeserver_environment() { ensure_virtual_environment .venv-synapse Tests/e2e/requirements-synapse.txt; }

# Makes the Python environment $1 from the requirements $2, and again when they change.
ensure_virtual_environment() {
    local folder=$1 requirements=$2 wanted
    local stamp=$folder/requirements.sha256
    wanted=$(sha256sum <"$requirements")
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then return 0; fi
    say "making the Python environment $folder from $requirements"
    rm -rf "$folder"
    /usr/bin/python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
    printf '%s\n' "$wanted" >"$stamp"
}
