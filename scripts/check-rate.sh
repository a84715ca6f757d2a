#!/usr/bin/env bash
# Two nodes share one relay's rate: how many messages it took in the fullest second and minute. See --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/services.sh
source scripts/services.sh

POSTRIDER=${POSTRIDER:-target/debug/postrider}
RATE=${RATE:-200}
CONNECTIONS=${CONNECTIONS:-4}
RUN=${RUN:-70}

usage() {
  cat <<TEXT
Usage: [NAME=VALUE…] scripts/check-rate.sh

Two processes deliver an edition over one relay with a rate. Says how many messages the relay took in the
fullest second and minute. Ends with 1 unless no second holds more than 105 % of the rate, no minute more
than the rate, and the fullest minute at least 95 % of it.

  POSTRIDER      the program ($POSTRIDER)
  DATABASE       an empty database, such as postgres://… (a new SQLite file)
  RATE           messages per second ($RATE)
  CONNECTIONS    connections of each node ($CONNECTIONS)
  RUN            seconds that are looked at ($RUN)
TEXT
}

case "${1:-}" in
  "") ;;
  --help | -h) usage && exit 0 ;;
  *) usage >&2 && exit 2 ;;
esac

find_programs python3
[ -x "$POSTRIDER" ] || fail "there is no $POSTRIDER; run cargo build first"
make_work 1000000
DATABASE=${DATABASE:-sqlite:$WORK/postrider.db}

python3 scripts/rate_sink.py "$WORK/taken" >"$WORK/port" &
SINK=$!
for _ in $(seq 100); do
  [ -s "$WORK/port" ] && break
  sleep 0.1
done
[ -s "$WORK/port" ] || fail "the sink did not start"
PORT=$(cat "$WORK/port")

mkdir "$WORK/content" "$WORK/subscribers"
cat >"$WORK/config.toml" <<CONFIG
[site]
name = "Rate"
url = "https://site.example.org"
language = "en"
tagline = "T"
copyright = "C"
postal_address = "1 Street"
[mail]
from = "Rate <news@example.org>"
[[relay]]
name = "sink"
url = "smtp://127.0.0.1:$PORT"
connections = $CONNECTIONS
rate_per_second = $RATE
[[source]]
name = "content"
kind = "folder"
path = "content"
[[category]]
slug = "urology"
name = "Urology"
[[digest]]
name = "weekly"
title = "Weekly"
schedule = ""
CONFIG
cat >"$WORK/content/news.md" <<'CONTENT'
+++
title = "News"
categories = ["urology"]
+++

## Simple Explanation

What it says.
CONTENT
{
  printf 'email,name,digest,categories,status,consent_at,consent_source\n'
  seq -f 'reader%.0f@example.org,,weekly,,confirmed,2026-01-01,test' $((RATE * (RUN + 30)))
} >"$WORK/subscribers/list.csv"
chmod 600 "$WORK/subscribers/list.csv"

NODES=()
for node in one two; do
  POSTRIDER_DELIVERY__HELLO=$node.example.org "$POSTRIDER" --config "$WORK/config.toml" \
    --database "$DATABASE" publish >"$WORK/$node.log" 2>&1 &
  NODES+=($!)
done
for try in $(seq 600); do
  [ "$(cut -d' ' -f2 "$WORK/taken" | sort -u | wc -l)" = 2 ] && break
  [ "$try" -lt 600 ] || fail "the two nodes do not deliver: $(cat "$WORK"/*.log)"
  sleep 0.1
done
sleep "$RUN"
stopped=$(date +%s%N)
# Only what still runs: numbers of processes are used again.
for pid in $(jobs -pr); do
  [ "$pid" = "$SINK" ] || kill -TERM "$pid" 2>/dev/null || true
done
for pid in "${NODES[@]}"; do wait "$pid" || true; done
printf 'both nodes ended %d ms after SIGTERM\n' $((($(date +%s%N) - stopped) / 1000000))
grep -hiE 'error|warn' "$WORK"/*.log || true

python3 - "$WORK/taken" "$RATE" <<'COUNT'
import collections
import sys

rows = [line.split() for line in open(sys.argv[1], encoding="ascii")]
rate = int(sys.argv[2])
times = sorted(float(at) for at, _ in rows)
by_node = collections.Counter(name for _, name in rows)


def counts(span, begin=0.0):
    """How many messages each whole window holds that begins with a message."""
    end, found = 0, []
    for start, at in enumerate(times):
        while end < len(times) and times[end] < at + span:
            end += 1
        if at >= times[0] + begin and at + span <= times[-1]:
            found.append(end - start)
    return found


second, minute = counts(1.0), counts(60.0, begin=2.0)
if not minute or len(by_node) < 2:
    sys.exit(f"too little was sent: {dict(by_node)}")
print(f"messages: {len(times)} in {times[-1] - times[0]:.1f} s, {dict(by_node)}")
print(f"fullest second: {max(second)}")
print(f"minutes: fullest {max(minute)}, emptiest {min(minute)}")
good = max(second) <= rate * 1.05 and rate * 57 <= max(minute) <= rate * 60
sys.exit(0 if good else f"out of bounds for {rate}/s")
COUNT
