#!/bin/sh
# Makes the image usable like the official one of Redis:
#   docker run IMAGE --port 7000                  options for the server
#   docker run IMAGE /path/redis.conf             a configuration file
#   docker run IMAGE redis-server --save ""       the server by either name
#   docker run IMAGE redis-cli -h HOST            anything else runs as it is
set -e

if [ "$#" -eq 0 ]; then
    set -- kvserver
fi

case "$1" in
    -*) set -- kvserver "$@" ;;
    *.conf) set -- kvserver "$@" ;;
esac

if [ "$1" != kvserver ] && [ "$1" != redis-server ]; then
    exec "$@"
fi

shift
case "${1-}" in
    -v | --version | -h | --help | -) exec kvserver "$@" ;;
esac

if [ -f "${1-}" ]; then
    file=$1
    shift
    # The user's file decides. What it leaves open gets the defaults of a container, where only published ports can be
    # reached: all addresses, no protected mode. Given before the caller's own options, so that those win.
    if ! grep -Eiq '^[[:space:]]*protected-mode[[:space:]]' "$file"; then
        set -- --protected-mode no "$@"
    fi
    if ! grep -Eiq '^[[:space:]]*bind[[:space:]]' "$file"; then
        set -- --bind '*' '-::*' "$@"
    fi
    exec kvserver "$file" "$@"
fi

case "${1-}" in
    *.conf) exec kvserver "$@" ;; # Missing: the server says so better than this script could.
esac

exec kvserver /etc/kvserver/kvserver.conf "$@"
