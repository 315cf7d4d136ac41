#!/usr/bin/env bash
# Measures the service on a fresh demo in a temporary SQLite database, and prints a table.
# ROUNDS (5) and SECONDS_EACH (3) set the length, OPS the operations, RESULTS a file to keep them in.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bin=.venv/bin
ops=${OPS:-read_observation,search_observation,metadata,score_phq9}

if ! command -v wrk >/dev/null; then
  echo "The benchmark needs wrk, which is not installed; on Debian: apt-get install wrk" >&2
  exit 1
fi

folder=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$folder"
}
trap finish EXIT

port=$("$bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
base=http://127.0.0.1:$port
export DATABASE_URL="sqlite:///$folder/bench.db"
export ALONGSIDE_PUBLIC_BASE_URL="$base" ALONGSIDE_ACCESS_TOKEN_SECONDS=3600
unset ALONGSIDE_DATABASE_URL ALONGSIDE_AUDIT_DATABASE_URL

"$bin/alongside" migrate
PORT=$port "$bin/alongside" demo >"$folder/demo.log" || { cat "$folder/demo.log" >&2; exit 1; }
"$bin/alongside" bench-state "$folder"

"$bin/alongside" serve --host 127.0.0.1 --port "$port" >"$folder/serve.log" 2>&1 &
server=$!
for _ in $(seq 100); do
  if "$bin/python" -c "import urllib.request as u; u.urlopen('$base/fhir/metadata', timeout=2)" 2>/dev/null; then
    ready=yes
    break
  fi
  sleep 0.2
done
if [ -z "${ready:-}" ]; then
  echo "The service did not start; it said:" >&2
  tail -n 20 "$folder/serve.log" >&2
  exit 1
fi

BENCH_TOKEN=$("$bin/alongside" token --client bench --scope "system/*.cruds")
export BENCH_TOKEN
"$bin/python" bench/bench.py --name alongside --base "$base/fhir" --pid "$server" \
  --ops "$ops" --state "$folder/state.json" --phq9 "$folder/phq9.json" \
  --rounds "${ROUNDS:-5}" --seconds "${SECONDS_EACH:-3}" --out "$folder/results.jsonl" >/dev/null
"$bin/python" bench/table.py "$folder/results.jsonl"
if [ -n "${RESULTS:-}" ]; then cp "$folder/results.jsonl" "$RESULTS"; fi
