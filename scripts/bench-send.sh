#!/usr/bin/env bash
# How fast editions go out, against Postfix's smtp-source on the same machine. See --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/services.sh
source scripts/services.sh

SEGMENTS=50
SIZE=20000
RECIPIENTS=100000
CONNECTIONS=20
RUNS=1
KEEP=1000
ONLY=sqlite,postgres,dkim,delay
MILLION=""
ROUND_TRIP=50
BUILD=yes
# What a run is started with: to hold it to one processor.
PIN=()

usage() {
  cat <<TEXT
Usage: scripts/bench-send.sh [OPTION…]

Builds the release, starts smtp-sink, plans an edition and sends it through the real path: database,
ledger, splicing, links of each reader. Before and after, smtp-source sends as many messages of the
same size over as many connections to the same sink. Prints the rates of all runs, their ratio (against
the faster of the two runs of smtp-source beside it), CPU time per message, and peak memory.

  --segments S       segments of the edition ($SEGMENTS)
  --size BYTES       size of a message ($SIZE); the summaries are written so that it comes out
  --recipients N     readers ($RECIPIENTS)
  --connections C    connections to the relay ($CONNECTIONS)
  --runs R           measured runs of each variant ($RUNS)
  --keep K           so many messages are kept by the sink and looked at ($KEEP; 0 for none)
  --only LIST        of sqlite,postgres,dkim,delay; all of them when left out
  --million          instead: memory and planning time at 1,000,000 readers and at 10,000
  --no-build         takes target/release/postrider as it is

The rate is that of sending: from the first connection to the end of the process. Gathering and
planning come before and are told apart. Of the C connections one leads to a second smtp-sink, which
keeps what it takes; so the messages that are looked at are of the run that is measured, and what
keeping costs is part of it (--keep 0 shows the difference). With --only delay a proxy holds back each
direction for half of $ROUND_TRIP ms. With --only dkim a further run is held to one processor, with the
sinks on another, and compared with what openssl speed signs on that one.
TEXT
}

number() {
  case "${2:-}" in
    "" | *[!0-9]*) fail "$1 needs a number, got \"${2:-}\"" ;;
  esac
}

while [ "$#" -gt 0 ]; do
  case "$1" in
    --segments) number "$@" && SEGMENTS=$2 && shift 2 ;;
    --size) number "$@" && SIZE=$2 && shift 2 ;;
    --recipients) number "$@" && RECIPIENTS=$2 && shift 2 ;;
    --connections) number "$@" && CONNECTIONS=$2 && shift 2 ;;
    --runs) number "$@" && RUNS=$2 && shift 2 ;;
    --keep) number "$@" && KEEP=$2 && shift 2 ;;
    --only) ONLY=${2:?--only needs a list} && shift 2 ;;
    --million) MILLION=yes && shift ;;
    --no-build) BUILD="" && shift ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
done
for variant in ${ONLY//,/ }; do
  case "$variant" in
    sqlite | postgres | dkim | delay) ;;
    *) fail "--only knows sqlite, postgres, dkim and delay, not $variant" ;;
  esac
done
[ "$CONNECTIONS" -gt 1 ] || KEEP=0

wants() { case ",$ONLY," in *",$1,"*) true ;; *) false ;; esac }
wants sqlite || wants postgres || wants dkim || wants delay || fail "--only names nothing"

POSTRIDER="${CARGO_TARGET_DIR:-$PWD/target}/release/postrider"
find_programs smtp-sink smtp-source python3 openssl
if [ -z "$MILLION" ] && wants postgres; then find_programs initdb psql; fi
[ -z "$BUILD" ] || cargo build --release --locked
[ -x "$POSTRIDER" ] || fail "$POSTRIDER is missing; leave --no-build out"
# The site, the databases, and a share of the messages.
make_work $((4000000 + RECIPIENTS * 12))
# Nothing from outside may change what is measured.
unset "${!POSTRIDER_@}" 2>/dev/null || true

calc() { awk "BEGIN { printf \"$1\", $2 }"; }

# field FILE NAME: one number of what measure.py wrote.
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]] or 0)' "$1" "$2"; }

# measure ARGUMENT…: measure.py, which a signal to this script ends as well.
measure() {
  python3 scripts/bench/measure.py "$@" &
  wait "$!"
}

postrider() { "$POSTRIDER" --config "$1/config.toml" "${@:2}"; }

make_site() { python3 scripts/bench/site.py "$@"; }

# The size of a message whose summaries have so many characters.
size_with() {
  rm -rf "$WORK/try"
  make_site "$WORK/try" --segments "$SEGMENTS" --recipients "$SEGMENTS" --text "$1" --relay "outbox,outbox:outbox,1"
  postrider "$WORK/try" subscribers import "$WORK/try/readers.csv" >/dev/null
  postrider "$WORK/try" publish >/dev/null
  python3 scripts/bench/messages.py size "$WORK/try/outbox"
}

# Sets TEXT so that a message has about SIZE bytes, and REAL_SIZE to what it has.
fit_text() {
  local short long
  short=$(size_with 300)
  long=$(size_with 1300)
  TEXT=$(calc "%d" "300 + ($SIZE - $short) * 1000 / ($long - $short)")
  [ "$TEXT" -gt 0 ] || fail "a message of $SIZE bytes is smaller than one without text ($short with little)"
  REAL_SIZE=$(size_with "$TEXT")
  rm -rf "$WORK/try"
}

# written FOLDER COUNT: waits until the sink has written as many messages, and writes no more.
written() {
  local try now="" before
  for try in $(seq 100); do
    before=$now
    now=$(find "$1" -type f -size +0 -printf '%s\n' | awk '{ bytes += $1 } END { print NR, bytes + 0 }')
    [ "${now% *}" -lt "$2" ] || [ "$now" != "$before" ] || return 0
    sleep 0.1
  done
  fail "the sink has written ${now% *} of $2 messages ($try looks)"
}

# Sets OVERHEAD to what smtp-source adds to the length it is told.
measure_overhead() {
  local port
  sink_folder "$WORK/overhead"
  start_sink port -d "$WORK/overhead/m."
  smtp-source -d -l 1000 -m 1 -s 1 "127.0.0.1:$port"
  written "$WORK/overhead" 1
  OVERHEAD=$(($(python3 scripts/bench/messages.py size "$WORK/overhead") - 1000))
}

line() { printf '%-34s %12s %9s %12s %9s\n' "$@"; }

# source_run LABEL PORT COUNT SESSIONS: smtp-source; its rate goes into RATE.
source_run() {
  measure "$WORK/measured" \
    smtp-source -d -l $((REAL_SIZE - OVERHEAD)) -m "$3" -s "$4" -f news@example.org -t reader@example.com "127.0.0.1:$2" ||
    fail "smtp-source failed"
  RATE=$(calc "%.1f" "$3 / $(field "$WORK/measured" wall)")
  line "$1" "$RATE" "$(calc "%.2f" "$(field "$WORK/measured" wall)")" \
    "$(calc "%.1f" "$(field "$WORK/measured" cpu) * 1e6 / $3")" \
    "$(calc "%.1f" "$(field "$WORK/measured" peak) / 1024")"
}

# our_run LABEL SITE DATABASE PORT COUNT: one publish; its rate goes into RATE, CPU into CPU.
our_run() {
  local code=0
  measure --port "$4" "$WORK/measured" "${PIN[@]}" \
    "$POSTRIDER" --config "$2/config.toml" --database "$3" --json publish >"$WORK/said" 2>"$WORK/log" || code=$?
  [ "$code" = 0 ] || {
    tail -n 20 "$WORK/log" "$WORK/said" >&2
    fail "publish ended with $code"
  }
  grep -q "\"sent\": $5," "$WORK/said" || fail "not everybody was sent their mail: $(grep '"sent"' "$WORK/said")"
  local first wall
  first=$(field "$WORK/measured" first)
  wall=$(field "$WORK/measured" wall)
  RATE=$(calc "%.1f" "$5 / ($wall - $first)")
  CPU=$(calc "%.1f" "($(field "$WORK/measured" cpu) - $(field "$WORK/measured" cpu_first)) * 1e6 / $5")
  PEAK=$(field "$WORK/measured" peak)
  PLANNING=$first
  line "$1" "$RATE" "$(calc "%.2f" "$wall - $first")" "$CPU" "$(calc "%.1f" "$PEAK / 1024")"
  printf '    before it, gathering and planning: %.2f s; CPU of the whole process: %.1f us a message\n' "$first" \
    "$(calc "%.1f" "$(field "$WORK/measured" cpu) * 1e6 / $5")"
}

# import_readers SITE DATABASE
import_readers() {
  measure "$WORK/imported" "$POSTRIDER" --config "$1/config.toml" --database "$2" \
    subscribers import "$1/readers.csv" >/dev/null || fail "the list could not be imported"
}

# check_kept SITE DATABASE: of the messages that the sink kept in this run.
check_kept() {
  local port serving try taken
  [ "$KEEP" -gt 0 ] || return 0
  postrider "$1" --database "$2" --json editions show 1 --deliveries >"$WORK/ledger"
  taken=$(python3 -c 'import json, sys
print(sum(one["relay"] == "kept" for one in json.load(open(sys.argv[1]))["deliveries"]))' "$WORK/ledger")
  written "$WORK/kept" "$taken"
  printf '    kept by the sink: %s messages, %s bytes each\n' "$(find "$WORK/kept" -type f | wc -l)" \
    "$(python3 scripts/bench/messages.py size "$WORK/kept")"
  port=$(free_port)
  # Not by the function: the process to stop would be a shell that waits for it.
  "$POSTRIDER" --config "$1/config.toml" --database "$2" --relay "outbox:$WORK/none" \
    serve --no-schedule --listen "127.0.0.1:$port" >"$WORK/serve" 2>&1 &
  serving=$!
  for try in $(seq 100); do
    grep -q "listening on" "$WORK/serve" && break
    [ "$try" -lt 100 ] || fail "serve did not start: $(cat "$WORK/serve")"
    sleep 0.1
  done
  python3 scripts/bench/messages.py check "$WORK/kept" "$KEEP" "$WORK/ledger" "http://127.0.0.1:$port" >"$WORK/left"
  kill "$serving"
  wait "$serving" || true
  postrider "$1" --database "$2" subscribers export 2>/dev/null |
    awk -F, '$5 == "unsubscribed" { print $1 }' | LC_ALL=C sort >"$WORK/unsubscribed"
  LC_ALL=C sort -o "$WORK/left" "$WORK/left"
  cmp -s "$WORK/left" "$WORK/unsubscribed" || fail "other readers left than those whose links were used"
  printf '    %s of them: all parse, match the ledger, and have tokens of their own; by GET serve knows each,\n' "$KEEP"
  printf '    by POST exactly these %s readers left\n' "$(wc -l <"$WORK/left")"
}

faster() { calc "%.1f" "($1 > $2) ? $1 : $2"; }

# fresh_site: a site of its own for each run, in SITE.
fresh_site() {
  SITE="$WORK/run"
  rm -rf "$SITE"
  cp -r "$WORK/$1" "$SITE"
  find "$WORK/kept" -type f -delete 2>/dev/null || true
}

# fresh_database KIND: a database that knows the readers and nothing else, in DATABASE.
fresh_database() {
  if [ "$1" = postgres ]; then
    local server="host=127.0.0.1 port=$CLUSTER_PORT user=postrider"
    psql -q -d "$server dbname=postgres" -c "DROP DATABASE IF EXISTS run" -c "CREATE DATABASE run TEMPLATE base" \
      >/dev/null 2>&1 || fail "PostgreSQL: no database for this run"
    DATABASE="postgres://postrider@127.0.0.1:$CLUSTER_PORT/run"
  else
    DATABASE="sqlite:$SITE/data/postrider.db"
  fi
}

# compare VARIANT SITE KIND: smtp-source, ours, smtp-source, and so on.
compare() {
  local run before best
  say "$1: $RECIPIENTS messages of $REAL_SIZE bytes, $SEGMENTS segments, $CONNECTIONS connections"
  line "" "messages/s" "seconds" "CPU us/msg" "peak MB"
  source_run "smtp-source, before" "$SINK" "$RECIPIENTS" "$CONNECTIONS"
  for run in $(seq "$RUNS"); do
    before=$RATE
    fresh_site "$2"
    fresh_database "$3"
    our_run "postrider, $1, run $run" "$SITE" "$DATABASE" "$SINK" "$RECIPIENTS"
    local ours=$RATE
    check_kept "$SITE" "$DATABASE"
    source_run "smtp-source, after run $run" "$SINK" "$RECIPIENTS" "$CONNECTIONS"
    best=$(faster "$before" "$RATE")
    printf '%s, run %s: ratio %s (%s to %s messages/s), CPU %s us a message, peak %s MB\n' "$1" "$run" \
      "$(calc "%.2f" "$ours / $best")" "$ours" "$best" "$CPU" "$(calc "%.1f" "$PEAK / 1024")"
    OURS=$ours
  done
}

relays() {
  if [ "$KEEP" -gt 0 ]; then
    RELAYS=(--relay "main,smtp://127.0.0.1:$SINK,$((CONNECTIONS - 1))"
      --relay "kept,smtp://127.0.0.1:$KEEPER,1")
  else
    RELAYS=(--relay "main,smtp://127.0.0.1:$SINK,$CONNECTIONS")
  fi
}

base_site() {
  [ ! -d "$WORK/base" ] || return 0
  make_site "$WORK/base" --segments "$SEGMENTS" --recipients "$RECIPIENTS" --text "$TEXT" "${RELAYS[@]}"
  import_readers "$WORK/base" "sqlite:$WORK/base/data/postrider.db"
}

bench_postgres() {
  start_postgres
  psql -q -d "host=127.0.0.1 port=$CLUSTER_PORT user=postrider dbname=postgres" -c "CREATE DATABASE base"
  import_readers "$WORK/base" "postgres://postrider@127.0.0.1:$CLUSTER_PORT/base"
  compare postgres base postgres
}

bench_dkim() {
  cp -r "$WORK/base" "$WORK/signed"
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$WORK/signed/dkim.pem" 2>/dev/null
  chmod 600 "$WORK/signed/dkim.pem"
  make_site "$WORK/signed" --segments "$SEGMENTS" --recipients "$RECIPIENTS" --text "$TEXT" "${RELAYS[@]}" --dkim dkim.pem
  compare dkim signed sqlite
  local signatures
  signatures=$(openssl speed -multi "$(nproc)" -seconds 3 rsa2048 2>/dev/null | awk '/^rsa *2048/ { print $6 }')
  printf 'openssl speed -multi %s rsa2048: %s signatures/s; postrider signs and sends at %s of it\n' "$(nproc)" \
    "$signatures" "$(calc "%.2f" "$OURS / $signatures")"
  dkim_on_one
}

# hold_sinks PROCESSORS: where the sinks may run.
hold_sinks() {
  local pid
  for pid in $(jobs -pr); do taskset -acp "$1" "$pid" >/dev/null; done
}

# The same on one processor, with the sinks on the other: what they take is not lost to signing then.
dkim_on_one() {
  local signatures
  if [ "$(nproc)" -lt 2 ] || ! command -v taskset >/dev/null; then return 0; fi
  say "dkim on one processor, the sinks on another"
  hold_sinks 1
  PIN=(taskset -c 0)
  fresh_site signed
  fresh_database sqlite
  our_run "postrider, dkim, one processor" "$SITE" "$DATABASE" "$SINK" "$RECIPIENTS"
  PIN=()
  hold_sinks "0-$(($(nproc) - 1))"
  signatures=$(taskset -c 0 openssl speed -seconds 3 rsa2048 2>/dev/null | awk '/^rsa *2048/ { print $6 }')
  printf 'openssl speed rsa2048 on that processor: %s signatures/s; postrider signs and sends at %s of it\n' \
    "$signatures" "$(calc "%.2f" "$RATE / $signatures")"
}

bench_delay() {
  local port count=400 trip after ours
  coproc PROXY { exec python3 scripts/bench/delay.py "$SINK" "$(calc "%.1f" "$ROUND_TRIP / 2")"; }
  read -r port <&"${PROXY[0]}"
  trip=$(python3 scripts/bench/roundtrip.py "$port")
  say "delay: $count messages of $REAL_SIZE bytes, one connection, $ROUND_TRIP ms round trip ($trip measured)"
  line "" "messages/s" "seconds" "CPU us/msg" "peak MB"
  rm -rf "$WORK/slow"
  make_site "$WORK/slow" --segments 1 --recipients "$count" --text "$TEXT" --relay "slow,smtp://127.0.0.1:$port,1"
  import_readers "$WORK/slow" "sqlite:$WORK/slow/data/postrider.db"
  our_run "postrider, delayed" "$WORK/slow" "sqlite:$WORK/slow/data/postrider.db" "$port" "$count"
  ours=$RATE
  source_run "smtp-source, step by step" "$port" 60 1
  printf 'delay: %s messages in %s ms; smtp-source, step by step, %s\n' "$(calc "%.2f" "$ours * $ROUND_TRIP / 1000")" \
    "$ROUND_TRIP" "$(calc "%.2f" "$RATE * $ROUND_TRIP / 1000")"
  after=$(python3 scripts/bench/roundtrip.py "$port")
  trip=$(calc "%.2f" "($trip + $after) / 2")
  printf 'delay: %s messages in a round trip of %s ms as measured before and after; smtp-source %s\n' \
    "$(calc "%.2f" "$ours * $trip / 1000")" "$trip" "$(calc "%.2f" "$RATE * $trip / 1000")"
}

# One size of --million: prints, and sets PEAK_SENDING and PEAK_ALL.
one_size() {
  local count=$1 site="$WORK/many-$1"
  make_site "$site" --segments "$SEGMENTS" --recipients "$count" --text "$TEXT" \
    --relay "main,smtp://127.0.0.1:$SINK,$CONNECTIONS"
  local database="sqlite:$site/data/postrider.db" gathered imported
  measure "$WORK/gathered" "$POSTRIDER" --config "$site/config.toml" --database "$database" \
    gather >/dev/null
  import_readers "$site" "$database"
  gathered=$(field "$WORK/gathered" peak)
  imported=$(field "$WORK/imported" peak)
  our_run "postrider, $count readers" "$site" "$database" "$SINK" "$count"
  PEAK_SENDING=$(printf '%s\n' "$gathered" "$PEAK" | sort -n | tail -n 1)
  PEAK_ALL=$(printf '%s\n' "$imported" "$PEAK_SENDING" | sort -n | tail -n 1)
  printf '    peak memory: gather %s MB, import %s MB (%s s), publish %s MB\n' "$(calc "%.1f" "$gathered / 1024")" \
    "$(calc "%.1f" "$imported / 1024")" "$(calc "%.1f" "$(field "$WORK/imported" wall)")" \
    "$(calc "%.1f" "$PEAK / 1024")"
  rm -rf "$site"
}

# peaks LABEL MANY FEW: the peak memory in KiB at both sizes.
peaks() {
  printf 'million: peak memory %s: %s MB, at 10,000 %s MB, ratio %s\n' "$1" "$(calc "%.1f" "$2 / 1024")" \
    "$(calc "%.1f" "$3 / 1024")" "$(calc "%.2f" "$2 / $3")"
}

bench_million() {
  local small sending_small planning_small
  say "million: $SEGMENTS segments, messages of $REAL_SIZE bytes, $CONNECTIONS connections, SQLite"
  line "" "messages/s" "seconds" "CPU us/msg" "peak MB"
  one_size 10000
  small=$PEAK_ALL sending_small=$PEAK_SENDING planning_small=$PLANNING
  one_size 1000000
  peaks "from gathering to the end" "$PEAK_SENDING" "$sending_small"
  peaks "with the import before it" "$PEAK_ALL" "$small"
  printf 'million: planning %s s, at 10,000 %s s\n' "$(calc "%.2f" "$PLANNING")" "$(calc "%.2f" "$planning_small")"
}

start_sink SINK
say "message size"
fit_text
measure_overhead
printf 'wanted %s bytes; ours have %s, and smtp-source sends as many (%s of them headers)\n' "$SIZE" "$REAL_SIZE" "$OVERHEAD"
[ "$REAL_SIZE" -gt "$OVERHEAD" ] || fail "the messages are smaller than smtp-source's headers"

if [ -n "$MILLION" ]; then
  bench_million
  exit
fi
if [ "$KEEP" -gt 0 ]; then
  sink_folder "$WORK/kept"
  start_sink KEEPER -d "$WORK/kept/m."
fi
relays
if wants sqlite || wants postgres || wants dkim; then base_site; fi
if wants sqlite; then compare sqlite base sqlite; fi
if wants postgres; then bench_postgres; fi
if wants dkim; then bench_dkim; fi
if wants delay; then bench_delay; fi
