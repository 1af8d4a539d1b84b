#!/bin/bash
# A real VO server (GAVO DaCHS) with a made-up catalogue, on loopback only.
#
#   vo-server.sh [up]     install what is missing, start, load, publish
#   vo-server.sh stop     stop the server and its database
#   vo-server.sh status   say what runs; exit status 0 only if all does
#   vo-server.sh urls     print the base URLs (up prints them too)
#   vo-server.sh reset    stop, and remove everything it ever wrote
#
# For Debian 12.  Only the install (section [vo_server] of packages.txt) needs
# root.  Standard output carries nothing but
# NAME=value lines:  urls=$(vo-server.sh up) && eval "$urls"
#
#   VO_SERVER_PORT   port to listen on at 127.0.0.1     (8917)
#   VO_SERVER_HOME   where all state goes               (see below)
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PORT=${VO_SERVER_PORT:-8917}
if [ "$(id -u)" = 0 ]; then
  HOME_DIR=${VO_SERVER_HOME:-/var/lib/vo-test-server}
  RUN_AS=postgres               # PostgreSQL refuses to run as root
else
  HOME_DIR=${VO_SERVER_HOME:-$HOME/.local/share/vo-test-server}
  RUN_AS=$(id -un)
fi
HOME_DIR=$(realpath -m "$HOME_DIR")
MARK=$HOME_DIR/.vo-test-server  # says that the folder is ours to remove
BASE=http://127.0.0.1:$PORT
PGBIN=/usr/lib/postgresql/15/bin
PGDATA_DIR=$HOME_DIR/pg
SOCKETS=$HOME_DIR/run           # the database listens here, on no TCP port
DACHS=$HOME_DIR/dachs
PIDFILE=$DACHS/state/web.pid
RD=$HERE/q.rd

say() { echo "vo-server: $*" >&2; }
die() { say "$*"; exit 1; }

# Run a command as the account that owns the server, with a bare environment.
as_owner() {
  local run=(env -i LANG=C.UTF-8 PATH=/usr/bin:/bin HOME="$HOME_DIR"
    GAVOSETTINGS="$HOME_DIR/gavo.rc" GAVOCUSTOM=/dev/null
    PYTHONWARNINGS=ignore "$@")
  cd "$HOME_DIR"
  if [ "$(id -un)" = "$RUN_AS" ]; then "${run[@]}"
  else runuser -u "$RUN_AS" -- "${run[@]}"; fi
}

# The same, quietly; what it said is shown only if it fails.
quietly() {
  local log; log=$(mktemp)
  if ! as_owner "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2; rm -f "$log"; die "failed: $*"
  fi
  rm -f "$log"
}

db_runs() { $PGBIN/pg_isready -q -h "$SOCKETS" 2>/dev/null; }

dachs_pid() {      # the pid of the running server, if it is one of ours
  local pid; pid=$(cat "$PIDFILE" 2>/dev/null) || return 1
  grep -qzsxF "GAVOSETTINGS=$HOME_DIR/gavo.rc" "/proc/$pid/environ" && echo "$pid"
}

answers() {        # ours, and not whatever else has the port
  dachs_pid >/dev/null &&
    curl -fs -m 5 "$BASE/tap/availability" | grep -q 'available>true<'
}

init_db() {
  [ -s "$PGDATA_DIR/PG_VERSION" ] && return
  say "making the database"
  quietly $PGBIN/initdb -D "$PGDATA_DIR" -A trust -E UTF8 --no-locale --no-sync
  # Throw-away data: speed before safety.  The socket's folder is private.
  as_owner tee -a "$PGDATA_DIR/postgresql.conf" >/dev/null <<END
listen_addresses = ''
unix_socket_directories = '$SOCKETS'
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 60
shared_buffers = 64MB
jit = off
END
}

start_db() {
  db_runs && return
  # After a crash: forget a lock whose process is gone.
  local lock=$PGDATA_DIR/postmaster.pid pid
  if pid=$(head -1 "$lock" 2>/dev/null) &&
     ! grep -qzsxF "$PGDATA_DIR" "/proc/$pid/cmdline"; then
    rm -f "$lock" "$SOCKETS"/.s.PGSQL.*
  fi
  quietly $PGBIN/pg_ctl -D "$PGDATA_DIR" -l "$HOME_DIR/pg.log" -w -t 60 start
}

write_settings() {
  as_owner tee "$HOME_DIR/gavo.rc" >/dev/null <<END
[general]
rootDir: $DACHS
group: $(id -gn "$RUN_AS")
gavoGroup: $(id -gn "$RUN_AS")
maintainerAddress:
[web]
bindAddress: 127.0.0.1
serverPort: $PORT
serverURL: $BASE
user:
sitename: Loopback test server
[async]
maxTAPRunning: 4
defaultMAXREC: 20000
hardMAXREC: 1000000
[ivoa]
authority: x-test.invalid
dalDefaultLimit: 10000
END
}

init_dachs() {
  [ -e "$HOME_DIR/initialised" ] && return
  say "making the server's own tables"
  as_owner $PGBIN/psql -h "$SOCKETS" -Atqc \
    "SELECT 1 FROM pg_database WHERE datname='gavo'" postgres | grep -q 1 ||
    quietly $PGBIN/createdb -h "$SOCKETS" -T template0 -E UTF8 gavo
  quietly dachs init -d "host=$SOCKETS dbname=gavo"
  as_owner tee "$DACHS/etc/defaultmeta.txt" >/dev/null <<END
publisher: Loopback test server
publisherID: ivo://x-test.invalid/org
contact.name: Nobody
contact.address: Nowhere
contact.email: nobody@test.invalid
creator.name: Nobody
authority.creationDate: 2024-01-01T00:00:00Z
authority.title: Loopback test server
authority.shortName: looptest
authority.description: A server for tests.
authority.managingOrg: ivo://x-test.invalid/org
organization.title: Loopback test server
organization.description: A server for tests.
site.description: A server for tests.
END
  as_owner touch "$HOME_DIR/initialised"
}

load() {
  local want; want=$(sha256sum <"$RD")
  [ "$(cat "$HOME_DIR/loaded" 2>/dev/null)" = "$want" ] && return 0
  say "loading and publishing the catalogue"
  as_owner mkdir -p "$DACHS/inputs/vosrc"
  as_owner tee "$DACHS/inputs/vosrc/q.rd" >/dev/null <"$RD"
  quietly dachs imp vosrc/q
  quietly dachs pub vosrc/q //tap
  as_owner tee "$HOME_DIR/loaded" >/dev/null <<<"$want"
  LOADED=1
}

start_dachs() {
  if dachs_pid >/dev/null; then
    if [ -z "${LOADED:-}" ] && answers; then return; fi
    stop_dachs
  fi
  rm -f "$PIDFILE"
  if (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
    die "port $PORT is taken; set VO_SERVER_PORT"
  fi
  as_owner tee "$DACHS/logs/server.stderr" >/dev/null </dev/null
  quietly dachs serve start
  local i
  for i in $(seq 300); do
    answers && return
    sleep 0.1
  done
  tail -20 "$DACHS/logs/server.stderr" >&2 || :
  die "the server does not answer at $BASE"
}

stop_dachs() {
  local pid i; pid=$(dachs_pid) || return 0
  kill "$pid"
  for i in $(seq 100); do dachs_pid >/dev/null || return 0; sleep 0.1; done
  kill -9 "$pid"
}

stop_db() { db_runs && quietly $PGBIN/pg_ctl -D "$PGDATA_DIR" -m fast -w stop || :; }

urls() {
  echo "SCS_URL=$BASE/vosrc/q/cone/scs.xml"
  echo "SCS_BIG_URL=$BASE/vosrc/q/bigcone/scs.xml"
  echo "TAP_URL=$BASE/tap"
}

up() {
  local t0=$SECONDS
  "$HERE/../../tools/install-packages" vo_server
  mkdir -p "$HOME_DIR"
  if [ ! -e "$MARK" ]; then
    [ -z "$(ls -A "$HOME_DIR")" ] || die "$HOME_DIR holds something else"
    touch "$MARK"
  fi
  mkdir -p "$SOCKETS"
  if [ "$(id -u)" = 0 ]; then chown "$RUN_AS:" "$HOME_DIR" "$SOCKETS"; fi
  chmod 700 "$SOCKETS"
  init_db
  start_db
  write_settings
  init_dachs
  load
  start_dachs
  say "up after $((SECONDS - t0)) s"
  urls
}

case ${1:-up} in
  up) up ;;
  stop) stop_dachs; stop_db ;;
  status)
    db_runs && say "database: runs" || die "database: does not run"
    answers && say "server: answers at $BASE" || die "server: does not answer" ;;
  urls) urls ;;
  reset)
    [ -e "$HOME_DIR" ] || exit 0
    [ -e "$MARK" ] || die "$HOME_DIR is not ours"
    stop_dachs; stop_db; rm -rf "$HOME_DIR" ;;
  *) die "usage: $0 [up|stop|status|urls|reset]" ;;
esac
