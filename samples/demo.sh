#!/usr/bin/env bash
# Plays the whole job on the sample organization, in out/demo: make demo
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=out/demo
rm -rf "$out"
mkdir -p "$out"
export PATH="$PWD/bin:$PATH" CLAIMLINE_DB="sqlite:$out/claimline.db" CLAIMLINE_ORG=acme
unset CLAIMLINE_CONFIG

# play CODE COMMAND... shows the command, runs it and insists on its exit code.
play() {
  local want=$1 got=0
  shift
  printf '\n$ %s\n' "$*"
  "$@" || got=$?
  if [[ $got != "$want" ]]; then
    echo "demo: the command ended with exit code $got instead of $want" >&2
    exit 1
  fi
}

echo "\$ export CLAIMLINE_DB=$CLAIMLINE_DB CLAIMLINE_ORG=$CLAIMLINE_ORG"

# Take the organization in, and export who can be claimed.
play 0 claimline load samples/org
play 0 claimline export -o "$out/users.csv"

# The file has been edited, with some mistakes. Exit code 3: done, but some rows have problems.
play 3 claimline validate samples/edited.csv
play 3 claimline import samples/edited.csv --accept-permanent

# What has become of it.
play 0 claimline status
play 0 claimline imports
play 0 claimline report --format text -o "$out/report.txt"
play 0 claimline report --format csv -o "$out/report.csv"
play 0 claimline report --format jsonl -o "$out/report.jsonl"
play 0 claimline report --format json -o "$out/report.json"
play 0 claimline report --format html -o "$out/report.html"
play 0 claimline report --only problems --format csv -o "$out/problems.csv"

printf '\nThe reports lie in %s:\n' "$out"
wc -l "$out"/report.* "$out/problems.csv"
echo "Correct the rows in $out/problems.csv and import that file; what was claimed stays claimed."
