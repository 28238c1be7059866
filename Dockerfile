FROM rust:1.95-slim-trixie AS build
# Puts the list of dependencies into the program, where scanners such as `cargo audit bin` find it.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo install --locked --root /tools --version 0.7.7 cargo-auditable
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    PATH="/tools/bin:$PATH" cargo auditable build --locked --release --bin kuntatutorit \
    && cp target/release/kuntatutorit /kuntatutorit

FROM debian:trixie-slim
# The certificates are for `sslrootcert=system` in DATABASE_URL.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /var/lib/kuntatutorit kuntatutorit \
    && install -d -m 700 -o kuntatutorit -g kuntatutorit /var/lib/kuntatutorit /var/lib/kuntatutorit/keys
COPY --from=build /kuntatutorit /usr/local/bin/kuntatutorit
USER 10001
ENV HOST=0.0.0.0 PORT=8080 DATA_DIR=/var/lib/kuntatutorit KEY_DIR=/var/lib/kuntatutorit/keys LOG_FORMAT=json
# With a PostgreSQL elsewhere, the service writes nothing but its keys, so the root file system can be read-only.
VOLUME /var/lib/kuntatutorit/keys
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["kuntatutorit", "healthcheck"]
ENTRYPOINT ["kuntatutorit"]
CMD ["serve"]
