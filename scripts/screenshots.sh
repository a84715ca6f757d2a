#!/usr/bin/env bash
# Pictures of every page and mail on the sample content, for people to look at. See --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/services.sh
source scripts/services.sh

FOLDER="${CARGO_TARGET_DIR:-$PWD/target}/screenshots"

usage() {
  cat <<TEXT
Usage: scripts/screenshots.sh

Starts the program on the sample content and makes pictures of every page and mail, 320 and 1280 pixels
wide, light and dark. They are laid in
  $FOLDER
TEXT
}

case "${1:-}" in
  "") ;;
  --help | -h) usage && exit 0 ;;
  *) usage >&2 && exit 2 ;;
esac

find_programs python3 node npm chromium
make_venv
bring_browser
rm -rf "$FOLDER"
mkdir -p "$FOLDER"
POSTRIDER_TEST_SCREENSHOTS="$FOLDER" cargo test --locked --test browser -- --ignored --exact \
  pictures::every_page_and_mail
printf '%s pictures in %s\n' "$(find "$FOLDER" -name '*.png' | wc -l)" "$FOLDER"
