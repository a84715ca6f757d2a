#!/usr/bin/env bash
# Everything that must hold before a change lands: format, lints, dependencies, and every test, on
# SQLite and on a PostgreSQL of its own. Needs Rust, Debian 12, and root or the packages below.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/services.sh
source scripts/services.sh

# What the tests start, and the Debian package that brings it.
NEEDED=(
  "smtp-sink:postfix" "initdb:postgresql" "python3:python3" "openssl:openssl" "curl:curl"
  "ps:procps" "perl:perl" "chromium:chromium" "node:nodejs" "npm:npm" "shellcheck:shellcheck"
  "runuser:util-linux" "cc:gcc"
)

trap stop_services EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

missing_packages() {
  local pair
  for pair in "${NEEDED[@]}"; do
    command -v "${pair%%:*}" >/dev/null || printf '%s\n' "${pair#*:}"
  done
  # Debian's python3 comes without what makes an environment.
  python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || printf 'python3-venv\n'
  perl -MMail::DKIM::Verifier -e 1 >/dev/null 2>&1 || printf 'libmail-dkim-perl\n'
}

# Installs packages without starting the services that come with them.
install_packages() {
  local policy=/usr/sbin/policy-rc.d made=""
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    made=yes
  fi
  if ! { DEBIAN_FRONTEND=noninteractive apt-get -qq update &&
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@"; } >"$WORK/apt" 2>&1; then
    tail -n 20 "$WORK/apt" >&2
    made="$made failed"
  fi
  [ "${made#yes}" = "$made" ] || rm -f "$policy"
  [ "${made%failed}" = "$made" ] || fail "cannot install $*"
}

# How many tests passed on one database.
passed_on() { grep -cE "^test ([^ ]+::)?on_$1(::[^ ]+)? \.\.\. ok$" "$WORK/tests" || true; }

# The sum of one number of the lines with which each test binary ends.
total() { sed -nE "s/^test result: .* ([0-9]+) $1;.*/\1/p" "$WORK/tests" | awk '{ n += $1 } END { print n + 0 }'; }

WORK=$(mktemp -d "${TMPDIR:-/tmp}/postrider-test.XXXXXX")
chmod 755 "$WORK"
extend_path
mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then
  [ "$(id -u)" = 0 ] || fail "missing: ${missing[*]} (apt-get install ${missing[*]}, or run as root)"
  say "install ${missing[*]}"
  install_packages "${missing[@]}"
  extend_path
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" = 0 ] || fail "still missing after the installation: ${missing[*]}"
fi
make_venv
bring_browser
export PATH="$VENV/bin:$PATH"

say "format"
cargo fmt --check
shellcheck scripts/*.sh .ci/run

say "dependencies"
cargo deny --locked --log-level error check bans licenses sources

say "lints"
cargo clippy --locked --all-targets -- -D warnings

say "services"
start_postgres
export POSTRIDER_TEST_POSTGRES="postgres://postrider@127.0.0.1:$CLUSTER_PORT/postgres"
POSTRIDER_TEST_SMTP_SINK=$(command -v smtp-sink)
export POSTRIDER_TEST_SMTP_SINK
printf '%s\n%s\n%s\n%s, Node %s\n' "$POSTRIDER_TEST_POSTGRES" "$POSTRIDER_TEST_SMTP_SINK" \
  "$("$POSTRIDER_TEST_PYTHON" -c 'import aiosmtpd, dkim, feedparser; print("aiosmtpd", aiosmtpd.__version__, "feedparser", feedparser.__version__)')" \
  "$("$POSTRIDER_TEST_BROWSER" --version 2>/dev/null)" "$(node --version)"

say "tests"
code=0
cargo test --locked --no-fail-fast 2>&1 | tee "$WORK/tests" || code=$?

on_sqlite=$(passed_on sqlite)
on_postgres=$(passed_on postgres)
say "result"
printf 'store tests on SQLite: %s, on PostgreSQL: %s\n' "$on_sqlite" "$on_postgres"
if [ "$on_sqlite" != "$on_postgres" ] || [ "$on_sqlite" = 0 ]; then
  printf 'test.sh: the store tests must run on both databases, as often on one as on the other\n' >&2
  code=1
fi
[ "$code" = 0 ] || printf 'test.sh: FAILED\n' >&2
printf '%s passed, %s failed, %s skipped\n' "$(total passed)" "$(total failed)" "$(total ignored)"
exit "$code"
