# One static binary in an empty image. Nothing but /data is written.
#
#   docker build -t statusbridge --build-arg VERSION=1.0.0 .
#   docker run -d --read-only --cap-drop ALL -p 8080:8080 -v statusbridge:/data \
#     -e STATUSBRIDGE_PUBLIC_URL=https://status.example.com statusbridge
#   docker logs …    # the first start prints the admin's password and the webhook secret, once

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.release=${VERSION}" -o /out/statusbridge ./cmd/statusbridge
RUN mkdir -p /out/data

FROM scratch
# The roots that mail servers, Twitter and New Relic are checked against.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/statusbridge /statusbridge
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
WORKDIR /data
VOLUME /data
# 127.0.0.1 would not be reachable from outside the container.
ENV STATUSBRIDGE_LISTEN=0.0.0.0:8080
ENV STATUSBRIDGE_PUBLIC_URL=http://127.0.0.1:8080
EXPOSE 8080
# No HEALTHCHECK: there is no shell or curl in here. Ask /healthz (alive) and
# /readyz (with reasons) from outside.
ENTRYPOINT ["/statusbridge"]
CMD ["serve"]
