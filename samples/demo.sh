#!/usr/bin/env bash
# Plays the whole job on the sample organization, in out/demo: make demo
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

umask 077 # as the program does: what is written is about people
out=out/demo
rm -rf "$out"
mkdir -p "$out"
export PATH="$PWD/bin:$PATH" CLAIMLINE_DB="sqlite:$out/claimline.db" CLAIMLINE_ORG=acme
unset CLAIMLINE_CONFIG

# play CODE COMMAND... shows the command, runs it and insists on its exit code.
play() {
  printf '\n$ %s\n' "${*:2}"
  insist "$@"
}

# write FILE CODE COMMAND... does as play does, and writes the command's answer to a file.
write() {
  printf '\n$ %s >%s\n' "${*:3}" "$1"
  insist "${@:2}" >"$1"
}

# insist CODE COMMAND... runs the command and insists on its exit code.
insist() {
  local want=$1 got=0
  shift
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
play 3 claimline import samples/edited.csv --accept-permanent --quiet --format html -o "$out/report.html"
play 0 claimline status

# What has become of the rows, for everybody who asks: a person, a spreadsheet, a program.
play 0 claimline report --format text -o "$out/report.txt"
play 0 claimline report --format csv -o "$out/report.csv"
play 0 claimline report --format jsonl -o "$out/report.jsonl"
play 0 claimline report --only problems --format csv -o "$out/problems.csv"
play 0 claimline report --only edits --format csv -o "$out/edits.csv"

# What comes afterwards: one claim is taken back, one owner decides, and the whole import could still be retracted.
play 0 claimline retract adam.berg@acme.example
play 0 claimline decide adam.ahmed@acme.example --choice change_email --new-email adam@private.example
play 0 claimline show adam.ahmed@acme.example
write "$out/retract.txt" 3 claimline retract --import 1 --dry-run
write "$out/sync.txt" 0 claimline sync preview samples/directory.csv --missing "$out/missing.csv"
write "$out/deadlines.txt" 0 claimline deadlines --ics "$out/deadlines.ics"

cat <<END

Look at, in $out:
  report.html     the import on one page, to mail or print: open it in a browser
  problems.csv    the rows to correct, each with what is wrong and how to fix it: correct and import this file
  edits.csv       the rows that change an account, old → new
  report.csv      the file again, every cell as it was, with what became of each row; report.txt and report.jsonl say the same
  retract.txt     which claims of this import could be taken back now, and why the others could not
  sync.txt        what synchronizing with samples/directory.csv would do; missing.csv: the claimed users it lacks
  deadlines.txt   what falls due and when; deadlines.ics for a calendar
Go on by hand: export PATH=$PWD/bin:\$PATH CLAIMLINE_DB=$CLAIMLINE_DB CLAIMLINE_ORG=acme; claimline --help
Or serve it: claimline token create --role admin; claimline serve; then sign in with the token at http://127.0.0.1:8080/
END
