-- Maintenance that repeats: what its occurrences are made from.

-- +goose Up
CREATE TABLE maintenance_series (
    id         TEXT PRIMARY KEY,
    version    BIGINT NOT NULL,
    title      TEXT NOT NULL,
    body       TEXT NOT NULL,
    components TEXT,
    auto_start BOOLEAN NOT NULL,
    auto_end   BOOLEAN NOT NULL,
    silent     BOOLEAN NOT NULL,
    recurrence TEXT NOT NULL,
    time_zone  TEXT NOT NULL,
    begins     BIGINT NOT NULL,
    length     BIGINT NOT NULL,
    planned    BIGINT NOT NULL,
    plan_at    BIGINT,
    ended_at   BIGINT,
    created_at BIGINT,
    updated_at BIGINT,
    created_by TEXT NOT NULL,
    revision   BIGINT NOT NULL
);
CREATE INDEX maintenance_series_revision ON maintenance_series (revision);
CREATE INDEX maintenance_series_plan_at ON maintenance_series (plan_at) WHERE plan_at IS NOT NULL;

ALTER TABLE maintenances ADD COLUMN series_id TEXT NOT NULL DEFAULT '';
ALTER TABLE maintenances ADD COLUMN occurrence BIGINT;
