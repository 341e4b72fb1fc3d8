#!/bin/sh
# Makes the image usable like the official one of Redis:
#   docker run IMAGE --port 7000                  options for the server
#   docker run IMAGE /path/redis.conf             a configuration file
#   docker run IMAGE redis-server --save ""       the server by either name
#   docker run IMAGE redis-cli -h HOST            anything else runs as it is
set -e

user=kvserver

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

# Root is there to hand the volume over: a folder of the host, or one that another user wrote. With --user (or runAsUser)
# none of this happens.
if [ "$(id -u)" = 0 ]; then
    if [ "$PWD" != / ]; then
        find . \! -user "$user" -exec chown -h "$user:$user" {} + \
            || echo "entrypoint.sh: could not make $user the owner of everything in $PWD" >&2
    fi
    exec setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs "$0" "$@"
fi

shift
case "${1-}" in
    -v | --version | -h | --help | --health | --check-rdb | --check-aof) exec kvserver "$@" ;;
esac

says() { # name of an option
    printf '%s\n' "$text" | grep -Eic "^[[:space:]]*$1[[:space:]]" > /dev/null
}

if [ "${1-}" = - ] || [ -f "${1-}" ]; then
    file=$1
    shift
    if [ "$file" = - ]; then text=$(cat); else text=$(cat "$file") || text=; fi

    # The user's file decides, and so does the environment. What they leave open gets the defaults of a container, where only
    # published ports can be reached: all addresses, no protected mode. Given before the caller's own options, so that those
    # win. A file that includes others is taken at its word: what those say is not looked up here.
    if ! says include; then
        if [ -z "${KVSERVER_PROTECTED_MODE+x}" ] && ! says protected-mode; then
            set -- --protected-mode no "$@"
        fi
        if [ -z "${KVSERVER_BIND+x}" ] && ! says bind; then
            set -- --bind '*' '-::*' "$@"
        fi
    fi

    # Standard input has been read to its end, so the server gets one of its own with the same text.
    if [ "$file" = - ]; then
        exec kvserver - "$@" << END
$text
END
    fi
    exec kvserver "$file" "$@"
fi

case "${1-}" in
    *.conf) exec kvserver "$@" ;; # Missing: the server says so better than this script could.
esac

exec kvserver /etc/kvserver/kvserver.conf "$@"
