#!/usr/bin/env bash
# Tries the scripts of the image with the real server, without a container engine: starts, secrets, health, the volume, the
# end. As root it also tries the way down from root, with a user that every machine has.
#   docker/test.sh FOLDER      the folder with the published kvserver
set -euo pipefail
scripts=$(cd "$(dirname "$0")" && pwd)
app=$(cd "$1" && pwd)

root=$(mktemp -d)
server=
tests=0
# shellcheck disable=SC2317 # Called by the trap.
cleanup() {
    if [ -n "$server" ]; then kill -KILL "$server" 2> /dev/null || true; fi
    rm -rf "$root"
}
trap cleanup EXIT

# The image in a folder: scripts with the paths and the user of this machine, the server under both names.
user=$(id -un)
if [ "$(id -u)" = 0 ]; then user=nobody; fi
group=$(id -gn "$user")
mkdir "$root/bin" "$root/data" "$root/etc" "$root/processes"
for script in entrypoint.sh healthcheck.sh; do
    sed -e "s|^user=.*|user=$user|" -e "s|\"\$user:\$user\"|\"$user:$group\"|" -e "s|--regid=\"\$user\"|--regid=\"$group\"|" \
        -e "s|/etc/kvserver|$root/etc|g" "$scripts/$script" > "$root/bin/$script"
done
chmod -R a+rx "$root"
sed -e "s|/data|$root/data|" -e '/^port/d' "$scripts/kvserver.conf" > "$root/etc/kvserver.conf"
ln -s "$app/kvserver" "$root/bin/kvserver"
ln -s "$app/kvserver" "$root/bin/redis-server"
if [ "$(id -u)" = 0 ]; then
    # Its folder may be root's alone.
    cp -r "$app" "$root/app"
    chmod -R a+rX "$root/app"
    ln -sf "$root/app/kvserver" "$root/bin/kvserver"
    ln -sf "$root/app/kvserver" "$root/bin/redis-server"
fi
export PATH="$root/bin:$PATH" PROCESSES="$root/processes"

fail() {
    echo "docker/test.sh: $1" >&2
    if [ -f "$root/log" ]; then cat "$root/log" >&2; fi
    exit 1
}

expect() { # what, wanted, got
    tests=$((tests + 1))
    if [ "$2" != "$3" ]; then fail "$1: wanted '$2', got '$3'"; fi
}

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 20000))
        if ! (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
            echo "$port"
            return
        fi
    done
}

input=/dev/null
start() { # environment and arguments, as for env(1)
    (cd "$root/data" && KVSERVER_PORT=$port exec env "$@") < "$input" > "$root/log" 2>&1 &
    server=$!
    rm -f "$root/processes/"*
    ln -s "/proc/$server" "$root/processes/1"
    local deadline=$((SECONDS + 30))
    until grep -q 'Ready to accept connections' "$root/log"; do
        if ! kill -0 "$server" 2> /dev/null; then fail "the server did not start"; fi
        if [ "$SECONDS" -ge "$deadline" ]; then fail "the server is not ready after 30 s"; fi
        read -r -t 0.1 _ < <(:) || true
    done
}

stop() {
    local started=$SECONDS status=0
    kill -TERM "$server"
    timeout 20 tail --pid="$server" -f /dev/null || kill -KILL "$server"
    wait "$server" || status=$?
    server=
    expect "exit code after SIGTERM" 0 "$status"
    if [ $((SECONDS - started)) -gt 10 ]; then fail "SIGTERM took more than 10 s"; fi
}

cli() { redis-cli --no-auth-warning -p "$port" "$@"; }

port=$(free_port)

# Flags only; the password comes from a file; the data outlives the server.
printf 'a secret\n' > "$root/secret"
chmod a+r "$root/secret"
start KVSERVER_PASSWORD_FILE="$root/secret" entrypoint.sh --save '3600 1'
expect "without the password" "NOAUTH Authentication required." "$(cli get greeting)"
expect "with the password" "OK" "$(cli -a 'a secret' set greeting hello)"
expect "user of the process" "$(id -u "$user")" "$(stat -c %u "/proc/$server")"
expect "dir" "$root/data" "$(cli -a 'a secret' config get dir | tail -1)"
expect "protected mode" "no" "$(cli -a 'a secret' config get protected-mode | tail -1)"
expect "health with a password" "healthy" "$(KVSERVER_PORT=$port KVSERVER_PASSWORD_FILE=$root/secret healthcheck.sh)"
stop
expect "health without a server" "unhealthy: no server runs here" "$(rm "$root/processes/1"; healthcheck.sh || true)"
expect "owner of the snapshot" "$user" "$(stat -c %U "$root/data/dump.rdb")"
expect "mode of the snapshot" "600" "$(stat -c %a "$root/data/dump.rdb")"

# What root left behind becomes the server's own.
if [ "$(id -u)" = 0 ]; then chown root "$root/data" "$root/data/dump.rdb"; fi
start KVSERVER_PASSWORD='another one' entrypoint.sh redis-server --appendonly yes
expect "data after the start" "hello" "$(cli -a 'another one' get greeting)"
expect "append-only file is written" "OK" "$(cli -a 'another one' set more data)"
expect "health by the other name" "healthy" "$(KVSERVER_PORT=$port KVSERVER_PASSWORD='another one' healthcheck.sh)"
stop

# A file of the user, with a port of its own that only the arguments of the server tell.
printf 'port %s\nappendonly yes\ndir %s\n' "$port" "$root/data" > "$root/user.conf"
chmod a+r "$root/user.conf"
start -u KVSERVER_PORT entrypoint.sh "$root/user.conf" --requirepass third
expect "data after the second start" "data" "$(cli -a third get more)"
expect "health by file and options" "healthy" "$(env -u KVSERVER_PORT -u KVSERVER_PASSWORD healthcheck.sh)"
expect "health that is asked for" "healthy" "$(env -u KVSERVER_PORT healthcheck.sh -p "$port" --requirepass third)"
stop

# The same from standard input, where a port of its own has to be told to the check.
input=$root/user.conf
start -u KVSERVER_PORT entrypoint.sh - --requirepass third
expect "data after the third start" "data" "$(cli -a third get more)"
expect "addresses" "* -::*" "$(cli -a third config get bind | tail -1)"
expect "protected mode" "no" "$(cli -a third config get protected-mode | tail -1)"
expect "health with a port" "healthy" "$(env -u KVSERVER_PORT healthcheck.sh -p "$port" --requirepass third)"
stop

# Other tools run as they are.
expect "a tool" "hello" "$(cd "$root/data" && entrypoint.sh echo hello)"
expect "the version" "$(kvserver --version)" "$(cd "$root/data" && entrypoint.sh redis-server --version)"

echo "$tests checks passed"
