# What the scripts start for themselves, to be sourced: a folder, Postfix's smtp-sink, a
# throw-away PostgreSQL, Python programs. Everything ends with the script that sourced it.
# shellcheck shell=bash

WORK=""
CLUSTER_USER=""
CLUSTER_PORT=""
NAME="$(basename "$0")"
VENV="${CARGO_TARGET_DIR:-$PWD/target}/test-venv"

say() { printf '\n== %s\n' "$*"; }

fail() {
  printf '%s: %s\n' "$NAME" "$*" >&2
  exit 1
}

# The trap calls it.
# shellcheck disable=SC2317
stop_services() {
  local code=$? pid
  trap - EXIT INT TERM
  # Only what still runs: numbers of processes are used again.
  for pid in $(jobs -pr); do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  if [ -n "$WORK" ]; then
    if [ -f "$WORK/cluster/postmaster.pid" ]; then
      as_cluster_user pg_ctl -D "$WORK/cluster" -m immediate -w stop >/dev/null 2>&1 || true
    fi
    rm -rf "$WORK"
  fi
  exit "$code"
}

# Makes $WORK, in memory where there is room for so many KiB, so that no disk is measured by accident.
make_work() {
  local base="${TMPDIR:-/tmp}"
  if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] &&
    [ "$(df --output=avail /dev/shm | tail -n 1)" -gt "$1" ]; then
    base=/dev/shm
  fi
  trap stop_services EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  WORK=$(mktemp -d "$base/postrider-$NAME.XXXXXX")
  chmod 755 "$WORK"
}

# Debian keeps PostgreSQL's programs and smtp-sink out of most users' PATH.
extend_path() {
  local folder
  for folder in /usr/lib/postgresql/*/bin; do
    [ -x "$folder/initdb" ] && PATH="$folder:$PATH"
  done
  export PATH="$PATH:/usr/sbin:/sbin"
}

# Ends the script when one of these is not there.
find_programs() {
  local program
  extend_path
  for program in "$@"; do
    command -v "$program" >/dev/null || fail "$program is missing (Debian: postfix, postgresql, openssl, python3)"
  done
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start_sink VARIABLE [OPTION…]: an smtp-sink; its port goes into VARIABLE.
start_sink() {
  local -n port_of="$1"
  shift
  local user=() try
  # It wants to be told whom to become when it is root, and only then.
  [ "$(id -u)" != 0 ] || user=(-u nobody)
  port_of=$(free_port)
  smtp-sink "${user[@]}" "$@" "127.0.0.1:$port_of" 1000 2>>"$WORK/sinks" &
  for try in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port_of") 2>/dev/null && return
    kill -0 "$!" 2>/dev/null || break
    sleep 0.05
  done
  cat "$WORK/sinks" >&2
  fail "smtp-sink does not listen on port $port_of ($try)"
}

# A folder that smtp-sink may write to.
sink_folder() {
  mkdir -p "$1"
  [ "$(id -u)" != 0 ] || chown nobody "$1"
}

# Runs a command as the user of the cluster, which is never root.
as_cluster_user() {
  if [ -n "$CLUSTER_USER" ]; then
    (cd "$WORK" && runuser -u "$CLUSTER_USER" -- "$@")
  else
    "$@"
  fi
}

# A PostgreSQL of its own on CLUSTER_PORT; nothing of it outlives a power cut.
start_postgres() {
  local try
  if [ "$(id -u)" = 0 ]; then
    CLUSTER_USER=postgres
    id -u "$CLUSTER_USER" >/dev/null 2>&1 || CLUSTER_USER=nobody
    install -d -o "$CLUSTER_USER" "$WORK/cluster"
  fi
  as_cluster_user initdb -D "$WORK/cluster" -U postrider -A trust -E UTF8 --locale=C.UTF-8 \
    >"$WORK/initdb" 2>&1 || {
    cat "$WORK/initdb" >&2
    fail "PostgreSQL: initdb failed"
  }
  for try in 1 2 3 4 5; do
    CLUSTER_PORT=$(free_port)
    if as_cluster_user pg_ctl -D "$WORK/cluster" -l "$WORK/cluster/log" -w -t 60 -o "-p $CLUSTER_PORT \
      -k $WORK/cluster -c listen_addresses=127.0.0.1 -c max_connections=400 -c fsync=off \
      -c synchronous_commit=off -c full_page_writes=off" start >/dev/null 2>&1; then
      return
    fi
    printf 'PostgreSQL did not start on port %s (try %s)\n' "$CLUSTER_PORT" "$try" >&2
  done
  tail -n 20 "$WORK/cluster/log" >&2 || true
  fail "PostgreSQL did not start"
}

# The Python of the tests, with what scripts/requirements.txt names.
make_venv() {
  if ! "$VENV/bin/python" -c 'import venv' >/dev/null 2>&1; then
    rm -rf "$VENV"
    python3 -m venv "$VENV" || fail "cannot make a Python environment in $VENV"
  fi
  if ! cmp -s scripts/requirements.txt "$VENV/requirements.txt"; then
    "$VENV/bin/pip" install -q --disable-pip-version-check -r scripts/requirements.txt ||
      fail "cannot install scripts/requirements.txt from PyPI"
    cp scripts/requirements.txt "$VENV/requirements.txt"
  fi
  export POSTRIDER_TEST_PYTHON="$VENV/bin/python"
}

# The browser of the tests is Debian's; the Node packages that lead it are laid beside them.
bring_browser() {
  local folder=tests/browser
  POSTRIDER_TEST_BROWSER=$(command -v chromium) || fail "chromium is missing (Debian: chromium)"
  export POSTRIDER_TEST_BROWSER
  if ! cmp -s "$folder/package-lock.json" "$folder/node_modules/lock.json"; then
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel error ||
      fail "cannot install what $folder/package-lock.json names from npm"
    cp "$folder/package-lock.json" "$folder/node_modules/lock.json"
  fi
}
