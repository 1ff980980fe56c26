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
    kill -INT "$postgres" # PostgreSQL's fast shutdown: ends connections, writes a checkpoint
} &
watcher=$!

wait "$postgres"
status=$?
kill -KILL "$watcher" 2>/dev/null
exit "$status"
