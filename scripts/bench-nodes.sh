#!/usr/bin/env bash
# How much faster two nodes are than one, on PostgreSQL, with a relay that takes 5 ms for each message.
# Needs POSTRIDER_TEST_POSTGRES=postgres://user@host/database with the right to make databases.
# POSTRIDER_TEST_NODES=50000 scripts/bench-nodes.sh --faults runs the test of three failing nodes at that size.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${POSTRIDER_TEST_POSTGRES:?names no PostgreSQL server}"

if [ "${1:-}" = "--faults" ]; then
  test=nodes::three_nodes_of_which_one_is_killed_one_sleeps_and_one_is_cut_off
else
  test=nodes::two_nodes_deliver_nearly_twice_as_much_as_one
fi
cargo test --release --locked --test crash -- --exact "$test" --include-ignored --nocapture
