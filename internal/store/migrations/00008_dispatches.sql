-- What is told becomes dispatches (one message on one channel, to many), and
-- subscribers get preferences. SQLite cannot change a CHECK, so the two tables
-- with a new word in one are built anew. New columns have defaults: the release
-- before this one runs on this schema.

-- +goose Up
CREATE TABLE timers_new (
    kind    TEXT NOT NULL CHECK (kind IN ('hold', 'publish', 'settle', 'judge', 'confirm', 'remind')),
    subject TEXT NOT NULL,
    due_at  BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);
INSERT INTO timers_new (kind, subject, due_at) SELECT kind, subject, due_at FROM timers;
DROP TABLE timers;
ALTER TABLE timers_new RENAME TO timers;

ALTER TABLE announcements ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;

ALTER TABLE subscribers ADD COLUMN scope TEXT NOT NULL DEFAULT '' CHECK (scope IN ('', 'all', 'milestones'));
ALTER TABLE subscribers ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE subscribers ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';
ALTER TABLE subscribers ADD COLUMN suppressed_at BIGINT;
ALTER TABLE subscribers ADD COLUMN suppressed_why TEXT NOT NULL DEFAULT '';

CREATE TABLE deliveries_new (
    id              TEXT PRIMARY KEY,
    announcement_id TEXT NOT NULL,
    event           TEXT NOT NULL,
    subject_id      TEXT NOT NULL,
    update_id       TEXT NOT NULL,
    channel         TEXT NOT NULL,
    recipient       TEXT NOT NULL,
    subscriber_id   TEXT NOT NULL,
    token           TEXT NOT NULL,
    language        TEXT NOT NULL DEFAULT '',
    time_zone       TEXT NOT NULL DEFAULT '',
    joined          TEXT,
    priority        BIGINT NOT NULL DEFAULT 0,
    state           TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'bounced')),
    attempt         BIGINT NOT NULL CHECK (attempt >= 0),
    due_at          BIGINT,
    created_at      BIGINT,
    sent_at         BIGINT,
    provider_id     TEXT NOT NULL,
    last_error      TEXT NOT NULL,
    UNIQUE (update_id, channel, recipient),
    CHECK (state <> 'sent' OR sent_at IS NOT NULL)
);
INSERT INTO deliveries_new (id, announcement_id, event, subject_id, update_id, channel, recipient, subscriber_id, token,
    state, attempt, due_at, created_at, sent_at, provider_id, last_error)
SELECT id, announcement_id, event, subject_id, update_id, channel, recipient, subscriber_id, token,
    state, attempt, due_at, created_at, sent_at, provider_id, last_error FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE deliveries_new RENAME TO deliveries;
-- Claims: by channel and priority, the longest due first.
CREATE INDEX deliveries_due ON deliveries (channel, priority, due_at) WHERE state = 'queued';
-- Whether a dispatch is done, and how far it is.
CREATE INDEX deliveries_waiting ON deliveries (update_id, channel) WHERE state = 'queued';
CREATE INDEX deliveries_subject ON deliveries (subject_id, channel);
CREATE INDEX deliveries_subscriber ON deliveries (subscriber_id);
CREATE INDEX deliveries_created ON deliveries (created_at);

CREATE TABLE dispatches (
    id            TEXT PRIMARY KEY,
    channel       TEXT NOT NULL,
    event         TEXT NOT NULL,
    subject_id    TEXT NOT NULL,
    update_id     TEXT NOT NULL,
    joined        TEXT,
    components    TEXT,
    priority      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    due_at        BIGINT NOT NULL,
    begun_at      BIGINT,
    reached       TEXT NOT NULL,
    fanned_out_at BIGINT,
    finished_at   BIGINT,
    total         BIGINT NOT NULL,
    sent          BIGINT NOT NULL,
    failed        BIGINT NOT NULL,
    bounced       BIGINT NOT NULL,
    UNIQUE (update_id, channel)
);
CREATE INDEX dispatches_due ON dispatches (due_at) WHERE fanned_out_at IS NULL;
CREATE INDEX dispatches_unfinished ON dispatches (id) WHERE finished_at IS NULL;
CREATE INDEX dispatches_subject ON dispatches (subject_id, channel, due_at);
CREATE INDEX dispatches_created ON dispatches (created_at);
INSERT INTO dispatches (id, channel, event, subject_id, update_id, priority, created_at, due_at, begun_at, reached,
    fanned_out_at, total, sent, failed, bounced)
SELECT update_id || '.' || channel, channel, MIN(event), MIN(subject_id), update_id, 0, MIN(created_at), MIN(created_at),
    MIN(created_at), '', MIN(created_at), COUNT(*), 0, 0, 0
FROM deliveries WHERE announcement_id <> '' GROUP BY update_id, channel;

CREATE TABLE channels (
    channel    TEXT PRIMARY KEY,
    paused     BOOLEAN NOT NULL,
    paused_by  TEXT NOT NULL,
    sent_at    BIGINT,
    failed_at  BIGINT,
    last_error TEXT NOT NULL
);
