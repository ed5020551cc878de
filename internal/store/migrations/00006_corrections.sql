-- What a component's status really was, whatever issues and maintenance tell.

-- +goose Up
CREATE TABLE corrections (
    id           TEXT PRIMARY KEY,
    component_id TEXT NOT NULL,
    from_at      BIGINT NOT NULL,
    to_at        BIGINT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN
        ('operational', 'under_maintenance', 'degraded_performance', 'partial_outage', 'major_outage')),
    reason       TEXT NOT NULL CHECK (reason <> ''),
    made_by      TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    withdrawn_at BIGINT,
    revision     BIGINT NOT NULL,
    CHECK (to_at > from_at)
);
CREATE INDEX corrections_component ON corrections (component_id, from_at);
CREATE INDEX corrections_to ON corrections (to_at);
CREATE INDEX corrections_revision ON corrections (revision);
