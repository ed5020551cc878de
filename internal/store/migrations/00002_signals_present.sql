-- A board is loaded with the alerts that fire and those that ended lately. Of
-- the millions that ended long ago it must not read one.

-- +goose Up
CREATE INDEX signals_firing ON signals (source, fingerprint) WHERE firing;
CREATE INDEX signals_ended ON signals (seen_at) WHERE NOT firing;
