-- Both dialects run this text. It keeps to types that both know: SQLite reads
-- BIGINT as integer, and a BYTEA column holds its blobs as they are.
-- Times are unix milliseconds; NULL is "not yet" or "never".

-- +goose Up
CREATE TABLE board (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL CHECK (revision >= 0),
    minted   BIGINT NOT NULL CHECK (minted >= 0),
    seed     TEXT NOT NULL
);
INSERT INTO board (id, revision, minted, seed) VALUES (1, 0, 0, '');

CREATE TABLE component_groups (
    id          TEXT PRIMARY KEY,
    version     BIGINT NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    position    BIGINT NOT NULL,
    created_at  BIGINT,
    updated_at  BIGINT,
    archived    BOOLEAN NOT NULL,
    revision    BIGINT NOT NULL
);
CREATE INDEX component_groups_revision ON component_groups (revision);

CREATE TABLE components (
    id          TEXT PRIMARY KEY,
    version     BIGINT NOT NULL,
    group_id    TEXT NOT NULL,
    slug        TEXT NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    position    BIGINT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN
        ('operational', 'under_maintenance', 'degraded_performance', 'partial_outage', 'major_outage')),
    hidden      BOOLEAN NOT NULL,
    start_date  BIGINT,
    created_at  BIGINT,
    updated_at  BIGINT,
    archived    BOOLEAN NOT NULL,
    revision    BIGINT NOT NULL
);
CREATE UNIQUE INDEX components_slug ON components (slug) WHERE NOT archived;
CREATE INDEX components_revision ON components (revision);

CREATE TABLE issues (
    id            TEXT PRIMARY KEY,
    version       BIGINT NOT NULL,
    title         TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('investigating', 'identified', 'monitoring', 'resolved')),
    impact        TEXT NOT NULL CHECK (impact IN ('none', 'minor', 'major', 'critical')),
    stage         TEXT NOT NULL CHECK (stage IN ('draft', 'published', 'dismissed', 'internal')),
    origin        TEXT NOT NULL CHECK (origin IN ('alert', 'manual')),
    confirmed     BOOLEAN NOT NULL,
    flapping      BOOLEAN NOT NULL,
    components    TEXT,
    updates       TEXT,
    started_at    BIGINT,
    created_at    BIGINT,
    published_at  BIGINT,
    monitoring_at BIGINT,
    resolved_at   BIGINT,
    updated_at    BIGINT,
    rule          TEXT NOT NULL,
    group_key     TEXT NOT NULL,
    group_labels  TEXT,
    held          TEXT,
    suggestions   TEXT,
    notes         TEXT,
    resolved_by   TEXT NOT NULL,
    rules_hash    TEXT NOT NULL,
    escalated     TEXT,
    recurrence_of TEXT NOT NULL,
    announced_at  BIGINT,
    revision      BIGINT NOT NULL,
    CHECK (origin = 'manual' OR rule <> ''),
    CHECK (state <> 'resolved' OR resolved_at IS NOT NULL),
    CHECK (stage <> 'published' OR published_at IS NOT NULL),
    CHECK (stage <> 'dismissed' OR published_at IS NULL)
);
-- At most one open issue for the alerts of one (rule, group).
CREATE UNIQUE INDEX issues_one_open ON issues (rule, group_key)
    WHERE origin = 'alert' AND state <> 'resolved' AND stage <> 'dismissed';
CREATE INDEX issues_open ON issues (id) WHERE state <> 'resolved';
CREATE INDEX issues_resolved ON issues (resolved_at) WHERE stage = 'published';
CREATE INDEX issues_started ON issues (started_at) WHERE stage = 'published';
CREATE INDEX issues_created ON issues (created_at);
CREATE INDEX issues_updated ON issues (updated_at);
CREATE INDEX issues_revision ON issues (revision);

CREATE TABLE maintenances (
    id              TEXT PRIMARY KEY,
    version         BIGINT NOT NULL,
    title           TEXT NOT NULL,
    body            TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('scheduled', 'in_progress', 'verifying', 'completed', 'cancelled')),
    components      TEXT,
    scheduled_for   BIGINT NOT NULL,
    scheduled_until BIGINT NOT NULL,
    auto_start      BOOLEAN NOT NULL,
    auto_end        BOOLEAN NOT NULL,
    created_at      BIGINT,
    updated_at      BIGINT,
    started_at      BIGINT,
    ended_at        BIGINT,
    created_by      TEXT NOT NULL,
    updates         TEXT,
    revision        BIGINT NOT NULL,
    CHECK (scheduled_until >= scheduled_for),
    CHECK (state NOT IN ('in_progress', 'verifying') OR started_at IS NOT NULL),
    CHECK (state NOT IN ('completed', 'cancelled') OR ended_at IS NOT NULL)
);
CREATE INDEX maintenances_scheduled ON maintenances (scheduled_for);
CREATE INDEX maintenances_revision ON maintenances (revision);

CREATE TABLE signals (
    source      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    firing      BOOLEAN NOT NULL,
    labels      TEXT,
    lists       TEXT,
    annotations TEXT,
    starts_at   BIGINT,
    ends_at     BIGINT,
    ordered_at  BIGINT,
    received_at BIGINT,
    seen_at     BIGINT,
    url         TEXT NOT NULL,
    episodes    BIGINT NOT NULL,
    doubt       BIGINT,
    tracks      TEXT,
    level       TEXT NOT NULL,
    impact      TEXT NOT NULL,
    misses      BIGINT NOT NULL,
    missed_at   BIGINT,
    suppressed  BOOLEAN NOT NULL,
    revision    BIGINT NOT NULL,
    PRIMARY KEY (source, fingerprint)
);
CREATE INDEX signals_revision ON signals (revision);

CREATE TABLE tracks (
    rule        TEXT NOT NULL,
    group_key   TEXT NOT NULL,
    labels      TEXT,
    firing      BIGINT NOT NULL CHECK (firing >= 0),
    since       BIGINT,
    quiet_since BIGINT,
    issue_id    TEXT NOT NULL,
    settled     BOOLEAN NOT NULL,
    cleared     BIGINT NOT NULL CHECK (cleared >= 0),
    levels      TEXT,
    attached_to TEXT NOT NULL,
    flips       TEXT,
    last_issue  TEXT NOT NULL,
    last_ended_at BIGINT,
    last_ended_by TEXT NOT NULL,
    revision    BIGINT NOT NULL,
    PRIMARY KEY (rule, group_key)
);
CREATE INDEX tracks_issue ON tracks (issue_id);
CREATE INDEX tracks_revision ON tracks (revision);

CREATE TABLE sources (
    name         TEXT PRIMARY KEY,
    receiver     TEXT NOT NULL,
    heartbeat_at BIGINT,
    asked_since  BIGINT,
    answered_at  BIGINT,
    err          TEXT NOT NULL,
    revision     BIGINT NOT NULL
);

-- Earlier versions of rules.yaml: an issue finishes with the one that opened it.
CREATE TABLE rules_versions (
    hash    TEXT PRIMARY KEY,
    file    TEXT NOT NULL,
    text    TEXT NOT NULL,
    seen_at BIGINT NOT NULL
);

CREATE TABLE timers (
    kind    TEXT NOT NULL CHECK (kind IN ('hold', 'publish', 'settle', 'judge', 'confirm')),
    subject TEXT NOT NULL,
    due_at  BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);

CREATE TABLE entries (
    revision BIGINT NOT NULL,
    line     BIGINT NOT NULL,
    made_at  BIGINT,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    reason   TEXT NOT NULL,
    detail   TEXT NOT NULL,
    was      TEXT NOT NULL,
    became   TEXT NOT NULL,
    PRIMARY KEY (revision, line)
);
CREATE INDEX entries_subject ON entries (subject, revision);

CREATE TABLE webhooks (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    source      TEXT NOT NULL,
    body        BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('pending', 'processed', 'dead')),
    verdict     TEXT NOT NULL,
    events      BIGINT NOT NULL
);
CREATE INDEX webhooks_pending ON webhooks (received_at, id) WHERE state = 'pending';
CREATE INDEX webhooks_received ON webhooks (received_at, id);

CREATE TABLE announcements (
    id           TEXT PRIMARY KEY,
    event        TEXT NOT NULL,
    subject_id   TEXT NOT NULL,
    update_id    TEXT NOT NULL UNIQUE,
    components   TEXT,
    channels     TEXT,
    created_at   BIGINT,
    due_at       BIGINT,
    fanned_out_at BIGINT
);
CREATE INDEX announcements_due ON announcements (due_at) WHERE fanned_out_at IS NULL;

CREATE TABLE deliveries (
    id              TEXT PRIMARY KEY,
    announcement_id TEXT NOT NULL,
    event           TEXT NOT NULL,
    subject_id      TEXT NOT NULL,
    update_id       TEXT NOT NULL,
    channel         TEXT NOT NULL,
    recipient       TEXT NOT NULL,
    subscriber_id   TEXT NOT NULL,
    token           TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    attempt         BIGINT NOT NULL CHECK (attempt >= 0),
    due_at          BIGINT,
    created_at      BIGINT,
    sent_at         BIGINT,
    provider_id     TEXT NOT NULL,
    last_error      TEXT NOT NULL,
    UNIQUE (update_id, channel, recipient),
    CHECK (state <> 'sent' OR sent_at IS NOT NULL)
);
CREATE INDEX deliveries_due ON deliveries (channel, due_at) WHERE state = 'queued';
CREATE INDEX deliveries_subject ON deliveries (subject_id, channel);
CREATE INDEX deliveries_subscriber ON deliveries (subscriber_id);
CREATE INDEX deliveries_created ON deliveries (created_at);

CREATE TABLE subscribers (
    id              TEXT PRIMARY KEY,
    email           TEXT NOT NULL UNIQUE,
    components      TEXT,
    token           TEXT NOT NULL UNIQUE,
    confirmed_at    BIGINT,
    created_at      BIGINT,
    confirm_sent_at BIGINT,
    confirm_token   TEXT NOT NULL UNIQUE
);
CREATE INDEX subscribers_created ON subscribers (created_at);

CREATE TABLE accounts (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('viewer', 'responder', 'admin')),
    password_hash TEXT NOT NULL,
    disabled      BOOLEAN NOT NULL,
    created_at    BIGINT,
    last_login_at BIGINT
);

CREATE TABLE sessions (
    id_hash    TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    csrf       TEXT NOT NULL,
    created_at BIGINT,
    seen_at    BIGINT,
    expires_at BIGINT,
    user_agent TEXT NOT NULL
);
CREATE INDEX sessions_account ON sessions (account_id);

CREATE TABLE login_failures (
    name     TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at  BIGINT NOT NULL
);

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
