FROM rust:1.95-slim-trixie AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --release --bin kuntatutorit && cp target/release/kuntatutorit /kuntatutorit

FROM debian:trixie-slim
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/kuntatutorit kuntatutorit \
    && install -d -m 700 -o kuntatutorit -g kuntatutorit /var/lib/kuntatutorit /var/lib/kuntatutorit/keys
COPY --from=build /kuntatutorit /usr/local/bin/kuntatutorit
USER 10001
ENV HOST=0.0.0.0 PORT=8080 DATA_DIR=/var/lib/kuntatutorit KEY_DIR=/var/lib/kuntatutorit/keys LOG_FORMAT=json
VOLUME /var/lib/kuntatutorit/keys
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["kuntatutorit", "healthcheck"]
ENTRYPOINT ["kuntatutorit"]
CMD ["serve"]
