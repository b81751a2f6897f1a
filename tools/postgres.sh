#!/bin/sh
# postgres.sh COMMAND... - runs a command beside a private PostgreSQL server in
# a temporary folder, reached by a unix socket; both go when the command ends.
# The command has TRIBUTARY_TEST_DATABASE, the URL of a database of it.
# `postgres.sh --restart` inside restarts the server, as a crash would.
# Durable as a real one with PG_FSYNC=on (for figures); tests need none.
set -eu
bin=$(command -v initdb 2>/dev/null | xargs -r dirname)
for d in /usr/lib/postgresql/*/bin; do
    [ -x "$d/initdb" ] && bin=$d # the newest
done
[ -n "$bin" ] || { echo "postgres.sh: no initdb: install postgresql" >&2; exit 1; }
[ "$1" = --restart ] && dir=$PG_DIR || dir=$(mktemp -d /tmp/tributary-pg-XXXXXX)

# PostgreSQL does not run as root.
as_user() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"; else "$@"; fi
}
pg() {
    (cd "$dir" && as_user "$bin/pg_ctl" -D "$dir/db" -l "$dir/log" -w "$@") >/dev/null
}
if [ "$1" = --restart ]; then
    pg restart -m immediate
    exit
fi
[ "$(id -u)" != 0 ] || chown nobody:nogroup "$dir"
stop() {
    pg stop -m immediate 2>/dev/null || true
    rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM

(cd "$dir" && as_user "$bin/initdb" -D "$dir/db" -U tributary -A trust -E UTF8 \
    --locale=C.UTF-8 --no-sync) >"$dir/init" 2>&1 || { cat "$dir/init" >&2; exit 1; }
cat >>"$dir/db/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$dir'
max_connections = 400
shared_buffers = ${PG_BUFFERS:-128MB}
fsync = ${PG_FSYNC:-off}
max_wal_size = 2GB
log_min_messages = warning
log_min_error_statement = panic
autovacuum_naptime = 20s
END
pg start || { cat "$dir/log" >&2; exit 1; }
TRIBUTARY_TEST_DATABASE="postgres://tributary@/postgres?host=$dir"
PG_BIN=$bin
PG_DIR=$dir
export TRIBUTARY_TEST_DATABASE PG_BIN PG_DIR
status=0
"$@" || status=$?
[ -z "${PG_LOG:-}" ] || cp "$dir/log" "$PG_LOG"
exit $status
