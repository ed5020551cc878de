-- What requests with an Idempotency-Key did, so that asking again does it no
-- second time.

-- +goose Up
CREATE TABLE idempotency_keys (
    name       TEXT PRIMARY KEY,
    request    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    code       BIGINT NOT NULL,
    header     TEXT NOT NULL,
    body       TEXT NOT NULL
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
