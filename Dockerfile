# The image of the controller: one static program, no shell, no user but a plain one.
#
#   docker build --tag serin:latest .

FROM rust:1.95-alpine AS build
# The C library and compiler that the cryptography (ring) is built with.
RUN apk add --no-cache build-base
WORKDIR /source
COPY . .
RUN cargo build --release --locked --no-default-features --features aws --bin serin && cp target/release/serin /serin

FROM scratch
COPY --from=build /serin /usr/local/bin/serin
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/serin"]
