#!/usr/bin/env bash
# Draws the top of the sample import's report for the README: make pictures
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

picture="$PWD/samples/pictures/report.png"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PATH="$PWD/bin:$PATH" CLAIMLINE_DB="sqlite:$work/claimline.db" CLAIMLINE_ORG=acme TZ=UTC
unset CLAIMLINE_CONFIG

claimline load samples/org >&2
cd samples
code=0
claimline import edited.csv --accept-permanent -q --format html -o "$work/report.html" || code=$?
[[ $code == 3 ]] # done, and some rows have problems

mkdir -p "$(dirname "$picture")"
chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update \
  --disable-sync --user-data-dir="$work/profile" --hide-scrollbars --window-size=1100,820 --screenshot="$picture" \
  "file://$work/report.html" 2>/dev/null
size=$(wc -c <"$picture")
if ((size > 200000)); then
  echo "the picture has $size bytes, more than a README should load" >&2
  exit 1
fi
echo "$picture"
