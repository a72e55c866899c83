#!/usr/bin/env bash
# Makes what compose.yaml mounts as secrets, in deploy/secrets or the folder named by the second argument: passwords, the
# URLs that carry them, the relays' shared secret, and a self-signed certificate for the host that the first argument
# names. What is there already is kept.
set -euo pipefail

host=${1:?"usage: deploy/secrets.sh HOST [FOLDER], as in deploy/secrets.sh calls.example.org"}
folder=${2:-$(dirname "$0")/secrets}
# The folder keeps others of this machine out. The files in it have to be readable by the containers' users.
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

# Writes what a command says to a file of this name, unless there is one.
keep() {
    local name=$1
    shift
    if [ -s "$name" ]; then
        printf 'kept  %s\n' "$name"
        return
    fi
    "$@" >"$name.new"
    chmod 644 "$name.new"
    mv "$name.new" "$name"
    printf 'made  %s\n' "$name"
}

# Key and certificate one after the other, as HAProxy takes them.
self_signed_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj "/CN=$host" \
        -addext "subjectAltName=DNS:$host" -keyout key.new -out certificate.new 2>/dev/null
    cat certificate.new key.new
    rm certificate.new key.new
}

for name in postgres_admin_password postgres_password redis_password turn_shared_secret; do
    keep "$name" openssl rand -hex 32
done
# Hexadecimal digits stand in a URL as they are.
keep database_url printf 'postgres://callrelay:%s@127.0.0.1:5432/callrelay\n' "$(cat postgres_password)"
keep redis_url printf 'redis://:%s@127.0.0.1:6379/0\n' "$(cat redis_password)"
keep tls.pem self_signed_certificate
