#!/bin/sh
# Healthy: the server of this container answers a PING. It is asked with the arguments it was started with, so that port,
# socket and password are found where it found them; the environment is the same anyway.
#   healthcheck.sh             for Docker: looks for the server among the processes
#   healthcheck.sh ARGUMENTS   asks with these arguments instead

# The check runs every few seconds inside the limits of the container: it gets by with little memory. (Hexadecimal.)
export DOTNET_GCHeapHardLimit=2000000 DOTNET_GCgen0size=200000 DOTNET_TieredPGO=0

if [ "$#" -gt 0 ]; then
    exec kvserver --health "$@"
fi

processes=${PROCESSES:-/proc}
for process in "$processes"/[0-9]*; do
    if [ "$(cat "$process/comm" 2> /dev/null)" != kvserver ]; then continue; fi
    if tr '\0' '\n' < "$process/cmdline" | sed -n 2p | grep -qx -- --health; then continue; fi

    # Its first argument is its own name, which the shell takes for $0.
    # shellcheck disable=SC2016
    xargs -0 sh -c 'exec kvserver --health "$@"' < "$process/cmdline" || exit 1
    exit 0
done

echo "unhealthy: no server runs here"
exit 1
