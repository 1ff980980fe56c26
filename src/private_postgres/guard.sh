# Runs PostgreSQL and ends it when its owner is gone, however the owner ended: standard input is a pipe that
# only the owner holds, and the kernel closes it.
# Arguments: postgres and its own. Standard output: the process id of postgres, one line. Standard error: the log.

trap '' HUP INT TERM # what ends the owner must not end the guard before PostgreSQL

# Background jobs of a shell read /dev/null, so the pipe is kept as 3.
exec 3<&0 0</dev/null
"$@" 3<&- >&2 &
postgres=$!
echo "$postgres"
exec >&2

{
    read -r _ <&3
    # PostgreSQL's fast shutdown: ends connections, writes a checkpoint. Again and again, as a server that
    # has just begun doesn't listen yet; one that is stopping doesn't mind.
    while kill -INT "$postgres" 2>/dev/null; do
        sleep 1
    done
} &
watcher=$!

wait "$postgres"
status=$?
kill -KILL "$watcher" 2>/dev/null
exit "$status"
