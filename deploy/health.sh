#!/usr/bin/env bash
# Whether the server beside it serves: its /readyz or, where it is a relay alone and has no HTTP, a STUN Binding request.
# Reads the server's own settings. Bash speaks TCP and UDP by itself, so that the image needs no further program.
set -euo pipefail

if [ "${AUTH_MODE:-}" = off ]; then
    addresses=${TURN_LISTEN:-127.0.0.1}
    exec 3<>"/dev/udp/${addresses%%,*}/${TURN_PORT:-3478}"
    printf '\x00\x01\x00\x00\x21\x12\xa4\x42health-check' >&3
    answer=$(timeout 2 head -c 2 <&3 | od -An -tx1)
    [ "$answer" = " 01 01" ]
else
    exec 3<>"/dev/tcp/${HTTP_HOST:-127.0.0.1}/${HTTP_PORT:-3000}"
    printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
    read -r -t 2 _ status _ <&3
    [ "$status" = 200 ]
fi
