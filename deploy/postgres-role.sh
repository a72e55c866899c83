#!/usr/bin/env bash
# Run once by PostgreSQL's image, when its volume is empty: an ordinary role that owns a database, which is all that
# callrelay needs. The image's own user is a superuser, and its password is another one.
set -euo pipefail

export CALLRELAY_PASSWORD_FILE="${SECRETS:-/run/secrets}/postgres_password"
# Read by psql itself, so that no list of processes shows it.
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set password `cat "$CALLRELAY_PASSWORD_FILE"`
CREATE ROLE callrelay LOGIN PASSWORD :'password';
CREATE DATABASE callrelay OWNER callrelay;
SQL
