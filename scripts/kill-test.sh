#!/usr/bin/env bash
# Kills editions again and again, and counts what is missing and what came twice. See --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/services.sh
source scripts/services.sh

KILLS=100
READERS=20000
ON=both
PROFILE=(--release)

usage() {
  cat <<TEXT
Usage: scripts/kill-test.sh [OPTION…]

Ends \`postrider send\` with kill -9 at random moments, each while the record of smtp-sink grows, ten
times an edition, and lets the last run of each edition end. Then every reader must have their mail; of
each kill at most one message per open connection may have come twice, with the same Message-ID; and the
ledger must say the same. All is counted from what smtp-sink has kept. The test is tests/crash/kills.rs,
which the suite runs with fewer kills.

  --kills K      kills on each database ($KILLS)
  --readers N    readers of each edition ($READERS)
  --on WHICH     sqlite, postgres or both ($ON)
  --debug        uses the debug build
TEXT
}

while [ "$#" -gt 0 ]; do
  case "$1" in
    --kills) KILLS=${2:?--kills needs a number} && shift 2 ;;
    --readers) READERS=${2:?--readers needs a number} && shift 2 ;;
    --on) ON=${2:?--on needs sqlite, postgres or both} && shift 2 ;;
    --debug) PROFILE=() && shift ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
done
case "$ON" in
  sqlite) tests=kills::kills_lose_nothing::on_sqlite ;;
  postgres) tests=kills::kills_lose_nothing::on_postgres ;;
  both) tests=kills:: ;;
  *) fail "--on knows sqlite, postgres and both, not $ON" ;;
esac

find_programs smtp-sink python3
[ "$ON" = sqlite ] || find_programs initdb
# Mails of one edition at a time.
make_work $((1000000 + READERS * 40))
if [ "$ON" != sqlite ]; then
  start_postgres
  export POSTRIDER_TEST_POSTGRES="postgres://postrider@127.0.0.1:$CLUSTER_PORT/postgres"
fi
mkdir "$WORK/tmp"
export TMPDIR="$WORK/tmp" POSTRIDER_TEST_KILLS="$KILLS" POSTRIDER_TEST_KILL_READERS="$READERS"
say "$KILLS kills in editions of $READERS, $ON"
cargo test --locked "${PROFILE[@]}" --test crash -- --nocapture --test-threads 1 "$tests" 2>&1 | tee "$WORK/said"
grep -q "^test result: ok. [1-9]" "$WORK/said" || fail "no test was run"
say "result"
grep -E "^(sqlite|postgres): " "$WORK/said"
