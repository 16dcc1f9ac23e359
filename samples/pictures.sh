#!/usr/bin/env bash
# Draws the pictures of the README from the demo data: the top of the sample import's report, and four pages of
# the service. make pictures
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for tool in chromium curl; do
  command -v "$tool" >/dev/null || { echo "this needs $tool. Run: sudo apt-get install -y $tool" >&2; exit 1; }
done

pictures="$PWD/samples/pictures"
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
export PATH="$PWD/bin:$PATH" CLAIMLINE_DB="sqlite:$work/claimline.db" CLAIMLINE_ORG=acme TZ=UTC
unset CLAIMLINE_CONFIG
mkdir -p "$pictures"

# draw NAME HEIGHT URL MOST draws a page, in at most so many bytes
draw() {
  chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update \
    --disable-sync --user-data-dir="$work/profile" --hide-scrollbars --window-size="1100,$2" --screenshot="$pictures/$1.png" \
    --virtual-time-budget=2000 "$3" 2>/dev/null
  size=$(wc -c <"$pictures/$1.png")
  if ((size > $4)); then
    echo "the picture $1.png has $size bytes, more than a README should load" >&2
    exit 1
  fi
  echo "$pictures/$1.png"
}

claimline load samples/org >&2
cd samples
code=0
claimline import edited.csv --accept-permanent -q --format html -o "$work/report.html" || code=$?
[[ $code == 3 ]] # done, and some rows have problems
draw report 820 "file://$work/report.html" 200000

# The pages stand in a database of their own, in which a plan waits for somebody.
rm "$work"/claimline.db*
claimline load org >&2
claimline import good.csv --accept-permanent -q -o "$work/good.csv"
claimline token create --role operator --name "Ann Lee" >"$work/token" 2>/dev/null
echo "service: {base_url: http://127.0.0.1}" >"$work/claimline.yaml"
claimline --config "$work/claimline.yaml" outbox export "$work/links.csv" >&2
for port in {18470..18479}; do
  claimline serve --workers 0 --listen "127.0.0.1:$port" >"$work/serve.log" 2>&1 &
  server=$!
  site="http://127.0.0.1:$port"
  for _ in {1..100}; do
    curl -sf -o "$work/ready" "$site/healthz" && break 2
    kill -0 "$server" 2>/dev/null || break # the port is taken
    sleep 0.1
  done
  server=
done
[[ -n $server ]] || { cat "$work/serve.log" >&2; exit 1; }
ask() { curl -sS --fail -c "$work/jar" -b "$work/jar" -H "Accept-Language: en" "$@"; }
ask -o "$work/page" --data-urlencode "token=$(<"$work/token")" "$site/sign-in"
ask -o "$work/plan.json" -H "Authorization: Bearer $(<"$work/token")" -H "Content-Type: text/csv" --data-binary @edited.csv "$site/api/v1/imports?file=edited.csv"

# page NAME HEIGHT PATH draws a page of the service, as it is for who has signed in
page() {
  ask --cookie "language=en" -o "$work/$1.html" "$site$3"
  grep -o '"/assets/[^"]*"' "$work/$1.html" | tr -d '"' | while read -r asset; do
    ask --create-dirs -o "$work$asset" "$site$asset"
  done
  sed -i.bak 's#="/assets/#="assets/#g' "$work/$1.html"
  draw "$1" "$2" "file://$work/$1.html" 150000
}
page overview 900 /
page plan 1250 /imports/2
page claim 800 '/claim?domain=acme.test'
page choose 900 "/choose/$(sed -n 's#.*/choose/\([^,]*\),.*#\1#p' "$work/links.csv" | head -n 1)"
