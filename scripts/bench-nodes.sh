#!/usr/bin/env bash
# How much faster two nodes are than one, on PostgreSQL. See --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/services.sh
source scripts/services.sh

usage() {
  cat <<TEXT
Usage: scripts/bench-nodes.sh [--faults]

Says how many messages a second one worker and two workers deliver on one PostgreSQL, over a relay that
takes 5 ms for each message. The tests are in tests/crash/nodes.rs. Build and run need a quiet machine.

  --faults    instead: three workers, of which one is killed, one sleeps past its lease, and one is cut
              off from the database; nobody may be missing

  POSTRIDER_TEST_NODES       readers of --faults (5000)
  POSTRIDER_TEST_POSTGRES    a server on which databases may be made (one that this script starts)
TEXT
}

case "${1:-}" in
  "") test=nodes::two_nodes_deliver_nearly_twice_as_much_as_one ;;
  --faults) test=nodes::three_nodes_of_which_one_is_killed_one_sleeps_and_one_is_cut_off ;;
  --help | -h) usage && exit 0 ;;
  *) usage >&2 && exit 2 ;;
esac

find_programs python3
if [ -z "${POSTRIDER_TEST_POSTGRES:-}" ]; then
  find_programs initdb
  make_work 1000000
  start_postgres
  export POSTRIDER_TEST_POSTGRES="postgres://postrider@127.0.0.1:$CLUSTER_PORT/postgres"
fi
cargo test --release --locked --test crash -- --exact "$test" --include-ignored --nocapture
