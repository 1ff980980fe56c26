# One image for every job of callsink: serve (unless told otherwise), migrate, healthcheck, simulate.
#
# Nothing in this file needs BuildKit or a package manager at build time, so the classic builder of distribution
# packages, podman and kaniko build it as well, and behind a proxy only crates have to be reachable.

# The builder must be of the same Debian release as the final image: a binary linked against a newer glibc would not
# start there. RUST_VERSION is pinned, so that the same commit gives the same image next year.
ARG RUST_VERSION=1.95
ARG DEBIAN_RELEASE=bookworm

FROM rust:${RUST_VERSION}-${DEBIAN_RELEASE} AS build
WORKDIR /build

# The dependencies first, with an empty crate in place of ours: this layer, which takes most of the time, is built
# again only when Cargo.toml or Cargo.lock change.
COPY Cargo.toml Cargo.lock build.rs ./
RUN mkdir -p src migrations benches \
    && touch src/lib.rs benches/load.rs benches/steps.rs \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --release --locked --bin callsink

# So that whoever builds often finds what the classic builder leaves behind of this stage, which is large:
# docker image prune --filter label=callsink.stage=build
LABEL callsink.stage=build

# cargo goes by modification times, and our files may be older than the empty crate; hence the touch.
COPY src src
COPY migrations migrations
RUN touch build.rs src/lib.rs src/main.rs \
    && cargo build --release --locked --bin callsink \
    && cp target/release/callsink /usr/local/bin/callsink


FROM debian:${DEBIAN_RELEASE}-slim

ARG CALLSINK_VERSION=0.1.0
ARG CALLSINK_REVISION=unknown
LABEL org.opencontainers.image.title="callsink" \
      org.opencontainers.image.description="Receives Twilio Event Streams webhooks and keeps one converging row per call in PostgreSQL" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${CALLSINK_VERSION}" \
      org.opencontainers.image.revision="${CALLSINK_REVISION}"

# Roots for what callsink asks over TLS; copied rather than installed, which would need a package mirror.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/local/bin/callsink /usr/local/bin/callsink

# A fresh named volume takes owner and mode from the directory that it is mounted on; the journal holds phone numbers.
# There is no VOLUME line on purpose: every container of this image, simulators included, would leave an anonymous
# volume behind.
RUN install -d -m 0700 -o 65532 -g 65532 /data
ENV CALLSINK_DATA_DIR=/data

# Events are made on one thread and dropped on another; with a heap per thread glibc gives back little of that. Two keep the
# peak 10 MiB lower, and buffers of a batch that never get into them another 5; neither costs what could be measured.
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072

# A number and not a name, so that Kubernetes can see that it is not root.
USER 65532:65532

# Deliveries. The admin listener is for neighbours at most, see docs/deploy.md.
EXPOSE 8080

# callsink stops on SIGTERM within 25 s, then on a second one at once.
STOPSIGNAL SIGTERM

# Asks /readyz at CALLSINK_ADMIN_LISTEN, whatever that is set to; the image has no curl.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/callsink", "healthcheck"]

ENTRYPOINT ["/usr/local/bin/callsink"]
CMD ["serve"]
