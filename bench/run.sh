#!/usr/bin/env bash
# Measures the service with the load generator's own data set, and prints a table.
#   ROUNDS (5) and SECONDS_EACH (3) set the length, OPS the operations, RESULTS a file to keep them in.
#   Without DATABASE_URL: SQLite in a temporary folder. With one: that empty PostgreSQL database;
#   PG_PID_FILE names its postmaster.pid, so that its CPU counts too.
#   WITHOUT_AUDIT leaves the audit rows out, so that the difference says what they cost.
#   PEER_PYTHON, an interpreter with fhirstarter and uvicorn[standard], is measured in the same run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bin=.venv/bin
ops=${OPS:-read_observation,search_observation,search_encounter_include,patient_everything,metadata,create_observation,score_phq9,transaction_10}

if ! command -v wrk >/dev/null; then
  echo "The benchmark needs wrk, which is not installed; on Debian: apt-get install wrk" >&2
  exit 1
fi

folder=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$folder"
}
trap finish EXIT

free_port() { "$bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

wait_for() { # address, log
  for _ in $(seq 150); do
    if "$bin/python" -c "import urllib.request as u; u.urlopen('$1', timeout=2)" 2>/dev/null; then return; fi
    sleep 0.2
  done
  echo "The server did not start; it said:" >&2
  tail -n 20 "$2" >&2
  exit 1
}

measure() { # name, base, pid, further arguments
  local name=$1 base=$2 pid=$3
  shift 3
  "$bin/python" bench/bench.py --name "$name" --base "$base" --pid "$pid" --ops "$ops" \
    --rounds "${ROUNDS:-5}" --seconds "${SECONDS_EACH:-3}" --out "$folder/$name.jsonl" "$@" >/dev/null
  echo "$name"
  "$bin/python" bench/table.py "$folder/$name.jsonl"
  if [ -n "${RESULTS:-}" ]; then cat "$folder/$name.jsonl" >>"$RESULTS"; fi
}

port=$(free_port)
origin=http://127.0.0.1:$port
export DATABASE_URL=${DATABASE_URL:-sqlite:///$folder/bench.db}
export ALONGSIDE_PUBLIC_BASE_URL="$origin" ALONGSIDE_ACCESS_TOKEN_SECONDS=3600
unset ALONGSIDE_DATABASE_URL ALONGSIDE_AUDIT_DATABASE_URL
database=()
if [ -n "${PG_PID_FILE:-}" ]; then database=(--pid-file "$PG_PID_FILE"); fi

"$bin/alongside" migrate >"$folder/migrate.log"
"$bin/alongside" connections add bench --mrn-system urn:bench:mrn >/dev/null
"$bin/alongside" clients add bench --connection bench --ceiling V --roster --scope "system/*.cruds" >/dev/null
"$bin/alongside" bench-form "$folder/phq9.json"
serve=("$bin/alongside")
if [ -n "${WITHOUT_AUDIT:-}" ]; then serve=("$bin/python" -m bench.without_audit); fi
"${serve[@]}" serve --host 127.0.0.1 --port "$port" >"$folder/serve.log" 2>&1 &
server=$!
pids+=("$server")
wait_for "$origin/fhir/metadata" "$folder/serve.log"
BENCH_TOKEN=$("$bin/alongside" token --client bench --scope "system/*.cruds")
export BENCH_TOKEN
measure alongside "$origin/fhir" "$server" --phq9 "$folder/phq9.json" "${database[@]}"

if [ -n "${PEER_PYTHON:-}" ]; then
  kill "$server"
  wait "$server" 2>/dev/null || true
  port=$(free_port)
  FHIR_SEQUENCE=R4B PYTHONPATH=bench "$PEER_PYTHON" -m uvicorn peer_fhirstarter:app --port "$port" \
    --loop uvloop --http httptools --no-access-log >"$folder/peer.log" 2>&1 &
  pids+=("$!")
  wait_for "http://127.0.0.1:$port/metadata" "$folder/peer.log"
  BENCH_TOKEN=bench-fhirstarter-token measure fhirstarter "http://127.0.0.1:$port" "$!"
fi
