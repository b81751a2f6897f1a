#!/usr/bin/env bash
# demo.sh PORT [PATIENTS] - the whole product on 127.0.0.1: server on PORT, the
# sandbox's health systems on PORT+1, a small app on PORT+2.  ctrl-C stops all.
set -euo pipefail
cd "$(dirname "$0")/.."
port=$1
patients=${2:-}
bin=build/release
data=data/demo
base=http://127.0.0.1:$port
sandbox=http://127.0.0.1:$((port + 1))
app=http://127.0.0.1:$((port + 2))
mkdir -p "$data"
log=$data/log
: >"$log"
pids=()

stop() {
    trap - EXIT INT TERM
    [ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    echo
    echo "stopped; the demo's data stay in $data"
}
trap stop EXIT
trap 'exit 0' INT TERM

die() { echo "demo: $*" >&2; tail -n 5 "$log" >&2; exit 1; }

# Waits until a URL answers 200, or says which program did not come up.
await() {
    local name=$1 url=$2 pid=$3 n=0
    until curl -fso /dev/null "$url"; do
        kill -0 "$pid" 2>/dev/null || die "$name ended; is port ${url#*1:} free? see $log"
        n=$((n + 1)); [ $n -lt 300 ] || die "$name is not ready; see $log"
        sleep 0.05
    done
}
settings=(--data "$data" --port "$port" --outbound-allow "127.0.0.1:$((port + 1))")
json() { python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

"$bin/tributary-sandbox" --port $((port + 1)) ${patients:+--patients "$patients"} >>"$log" 2>&1 &
pids+=($!)
await tributary-sandbox "$sandbox/health" $!

# The directory: the sandbox's systems, and the real ones once.
"$bin/tributary-sandbox" --port $((port + 1)) --print-systems |
    "$bin/tributary" system import - --data "$data" >>"$log" || die "the sandbox's systems were not taken"
if [ -d ../shared/data/directory ] && [ ! -e "$data/directory.done" ]; then
    echo "filling the directory (once) ..."
    "$bin/tributary" directory import ../shared/data/directory --data "$data" >>"$log" 2>&1 || die "directory import failed"
    touch "$data/directory.done"
fi

# The app and its keys, once.
if [ ! -e "$data/app.json" ]; then
    "$bin/tributary" app create "Demo app" --redirect "$app/callback" --json --data "$data" >"$data/app.new" || die "no app"
    mv "$data/app.new" "$data/app.json"
fi
"$bin/tributary" app redirect "$(json client_id <"$data/app.json")" "$app/callback" --data "$data" >>"$log"
client_id=$(json client_id <"$data/app.json")
client_secret=$(json client_secret <"$data/app.json")

"$bin/tributary" serve "${settings[@]}" >>"$log" 2>&1 &
pids+=($!)
await tributary "$base/ready" $!

# A user, a code, a token: what an app does.
keys=(--data-urlencode "client_id=$client_id" --data-urlencode "client_secret=$client_secret")
curl -fsS "${keys[@]}" -d app_user_id=demo "$base/user-management/v1/user" >/dev/null 2>&1 || true
code=$(curl -fsS "${keys[@]}" -d app_user_id=demo "$base/user-management/v1/user/auth-code" | json code) || die "no code"
token=$(curl -fsS "${keys[@]}" -d grant_type=authorization_code -d "code=$code" "$base/oauth2/token" | json access_token) || die "no token"

python3 tools/demo_app.py $((port + 2)) "$base" "$token" "$client_id" >>"$log" 2>&1 &
pids+=($!)
await "the demo's app" "$app/" $!

cat <<EOF

Tributary runs.  The person's way:
  1. open    $app/
  2. choose  a health system ("Epic" finds the sandbox's Epic-like one)
  3. sign in $("$bin/tributary-sandbox" --print-login)
  4. allow, and see the record arrive

The developer's way (the token is real, good for two hours):
  curl -H "Authorization: Bearer $token" "$base/r4/Patient"
  curl -H "Authorization: Bearer $token" "$base/r4/Observation?_sort=-date&_count=5"
  curl -X POST "$base/user-management/v1/user" -d client_id=$client_id -d client_secret=$client_secret -d app_user_id=another
Log: $log    ctrl-C stops everything.
EOF
wait -n "${pids[@]}" || true
die "a program of the demo ended; see $log"
