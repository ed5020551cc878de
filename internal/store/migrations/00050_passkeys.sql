-- Passkeys: what WebAuthn calls public key credentials. A public key opens
-- nothing, so it may be read.

-- +goose Up
CREATE TABLE passkeys (
    id           TEXT PRIMARY KEY,
    account_id   TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    public_key   TEXT NOT NULL,
    transports   TEXT NOT NULL,
    sign_count   BIGINT NOT NULL,
    synced       BOOLEAN NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT
);

CREATE INDEX passkeys_by_account ON passkeys (account_id);
