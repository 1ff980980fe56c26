# shellcheck shell=bash
# What the entrypoint of the official postgres image does, as far as docker-compose.yml relies on it; written from its
# documentation. Initialises an empty PGDATA from POSTGRES_USER, _PASSWORD, _DB (each also as _FILE) and the files in
# /docker-entrypoint-initdb.d, then runs PostgreSQL as the user postgres.
set -euo pipefail

from_file() { # variable, default
    local file_variable=$1_FILE
    if [ -n "${!1:-}" ] && [ -n "${!file_variable:-}" ]; then
        echo "error: both $1 and $file_variable are set (but are exclusive)" >&2
        exit 1
    fi
    local value=${!1:-$2}
    [ -n "${!file_variable:-}" ] && value=$(<"${!file_variable}")
    export "$1=$value"
    unset "$file_variable"
}

[ "$1" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
    from_file POSTGRES_PASSWORD ''
    from_file POSTGRES_USER postgres
    from_file POSTGRES_DB "$POSTGRES_USER"
    mkdir -p "$PGDATA"
    chown -R postgres:postgres "$PGDATA"
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/var/lib/postgresql bash "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -z "$POSTGRES_PASSWORD" ]; then
        echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
        exit 1
    fi
    initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --encoding=UTF8 --locale=C.UTF-8
    printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
    sed -i "s/^#listen_addresses = .*/listen_addresses = '*'/; s|^#unix_socket_directories = .*|unix_socket_directories = '/var/run/postgresql'|" "$PGDATA/postgresql.conf"
    # As in the official image, the server that initialises listens on its Unix socket only.
    pg_ctl --pgdata="$PGDATA" --wait --options="-c listen_addresses=''" start
    local_psql() { PGHOST=/var/run/postgresql psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$POSTGRES_USER" "$@"; }
    [ "$POSTGRES_DB" = postgres ] || local_psql --dbname postgres --command "CREATE DATABASE \"$POSTGRES_DB\""
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sql) local_psql --dbname "$POSTGRES_DB" --file "$file" ;;
            *.sh) bash "$file" ;;
        esac
    done
    pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop
    echo 'PostgreSQL init process complete; ready for start up.'
fi
unset POSTGRES_PASSWORD
exec "$@"
