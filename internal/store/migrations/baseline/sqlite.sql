-- Written by `make baseline`: what all migrations come to. A change of the schema
-- is a new file in the folder above.

CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);

CREATE TABLE board (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL CHECK (revision >= 0),
    minted   BIGINT NOT NULL CHECK (minted >= 0),
    seed     TEXT NOT NULL
);

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
    revision      BIGINT NOT NULL, published_by TEXT NOT NULL DEFAULT '', claimed_by TEXT NOT NULL DEFAULT '', claimed_at BIGINT, snoozed_by TEXT NOT NULL DEFAULT '', snoozed_until BIGINT, merged_into TEXT NOT NULL DEFAULT '', postmortem_draft TEXT NOT NULL DEFAULT '', called_at BIGINT,
    CHECK (origin = 'manual' OR rule <> ''),
    CHECK (state <> 'resolved' OR resolved_at IS NOT NULL),
    CHECK (stage <> 'published' OR published_at IS NOT NULL),
    CHECK (stage <> 'dismissed' OR published_at IS NULL)
);

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
    revision        BIGINT NOT NULL, series_id TEXT NOT NULL DEFAULT '', occurrence BIGINT, expected TEXT,
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

CREATE TABLE rules_versions (
    hash    TEXT PRIMARY KEY,
    file    TEXT NOT NULL,
    text    TEXT NOT NULL,
    seen_at BIGINT NOT NULL
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
, outcomes TEXT);

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
, priority BIGINT NOT NULL DEFAULT 0, left_out TEXT);

CREATE INDEX announcements_due ON announcements (due_at) WHERE fanned_out_at IS NULL;

CREATE TABLE subscribers (
    id              TEXT PRIMARY KEY,
    email           TEXT NOT NULL UNIQUE,
    components      TEXT,
    token           TEXT NOT NULL UNIQUE,
    confirmed_at    BIGINT,
    created_at      BIGINT,
    confirm_sent_at BIGINT,
    confirm_token   TEXT NOT NULL UNIQUE
, scope TEXT NOT NULL DEFAULT '' CHECK (scope IN ('', 'all', 'milestones')), language TEXT NOT NULL DEFAULT '', time_zone TEXT NOT NULL DEFAULT '', suppressed_at BIGINT, suppressed_why TEXT NOT NULL DEFAULT '', secret TEXT NOT NULL DEFAULT '', contact TEXT NOT NULL DEFAULT '');

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
, address TEXT NOT NULL DEFAULT '', second_factor BOOLEAN NOT NULL DEFAULT FALSE);

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

CREATE INDEX signals_firing ON signals (source, fingerprint) WHERE firing;

CREATE INDEX signals_ended ON signals (seen_at) WHERE NOT firing;

CREATE TABLE samples (
    chart    TEXT NOT NULL,
    step     BIGINT NOT NULL CHECK (step > 0),
    at       BIGINT NOT NULL,
    low      DOUBLE PRECISION NOT NULL,
    high     DOUBLE PRECISION NOT NULL,
    mean     DOUBLE PRECISION NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (chart, step, at)
);

CREATE INDEX samples_step ON samples (step, at);

CREATE INDEX samples_revision ON samples (revision);

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

CREATE TABLE "deliveries" (
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
    last_error      TEXT NOT NULL, named BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (update_id, channel, recipient),
    CHECK (state <> 'sent' OR sent_at IS NOT NULL)
);

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
    bounced       BIGINT NOT NULL, named BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (update_id, channel)
);

CREATE INDEX dispatches_due ON dispatches (due_at) WHERE fanned_out_at IS NULL;

CREATE INDEX dispatches_unfinished ON dispatches (id) WHERE finished_at IS NULL;

CREATE INDEX dispatches_subject ON dispatches (subject_id, channel, due_at);

CREATE INDEX dispatches_created ON dispatches (created_at);

CREATE TABLE channels (
    channel    TEXT PRIMARY KEY,
    paused     BOOLEAN NOT NULL,
    paused_by  TEXT NOT NULL,
    sent_at    BIGINT,
    failed_at  BIGINT,
    last_error TEXT NOT NULL
);

CREATE TABLE posts (
    channel TEXT NOT NULL,
    month   TEXT NOT NULL,
    posts   BIGINT NOT NULL,
    PRIMARY KEY (channel, month)
);

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    hash         TEXT NOT NULL UNIQUE,
    scopes       TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at   BIGINT,
    revoked_at   BIGINT
);

CREATE TABLE idempotency_keys (
    name       TEXT PRIMARY KEY,
    request    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    code       BIGINT NOT NULL,
    header     TEXT NOT NULL,
    body       TEXT NOT NULL
);

CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

CREATE TABLE templates (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL CHECK (name <> ''),
    title      TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('', 'investigating', 'identified', 'monitoring', 'resolved')),
    body       TEXT NOT NULL,
    position   BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
, maintenance BOOLEAN NOT NULL DEFAULT FALSE);

CREATE INDEX issues_merged ON issues (merged_into) WHERE merged_into <> '';

CREATE TABLE authenticators (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    secret     TEXT NOT NULL,
    since      BIGINT,
    last_step  BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    hash       TEXT NOT NULL,
    PRIMARY KEY (account_id, hash)
);

CREATE TABLE challenges (
    id_hash    TEXT PRIMARY KEY,
    purpose    TEXT NOT NULL,
    account_id TEXT NOT NULL,
    data       TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE identities (
    issuer     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
);

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

CREATE INDEX subscribers_programs ON subscribers (id) WHERE secret <> '';

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
, expected TEXT);

CREATE INDEX maintenance_series_revision ON maintenance_series (revision);

CREATE INDEX maintenance_series_plan_at ON maintenance_series (plan_at) WHERE plan_at IS NOT NULL;

CREATE INDEX subscribers_contact ON subscribers (contact) WHERE contact <> '';

CREATE TABLE "timers" (
    kind    TEXT NOT NULL CHECK (kind IN ('hold', 'publish', 'settle', 'judge', 'confirm', 'remind', 'nudge')),
    subject TEXT NOT NULL,
    due_at  BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);

CREATE INDEX deliveries_root ON deliveries (subject_id, channel) WHERE subscriber_id = '';

CREATE INDEX deliveries_due ON deliveries (channel, priority DESC, created_at) WHERE state = 'queued';

INSERT INTO goose_db_version (version_id, is_applied) VALUES
    (0, 1),
    (1, 1),
    (2, 1),
    (3, 1),
    (4, 1),
    (6, 1),
    (8, 1),
    (12, 1),
    (14, 1),
    (15, 1),
    (16, 1),
    (17, 1),
    (31, 1),
    (32, 1),
    (33, 1),
    (34, 1),
    (37, 1),
    (38, 1),
    (50, 1),
    (51, 1),
    (52, 1),
    (53, 1),
    (54, 1),
    (56, 1),
    (57, 1),
    (60, 1),
    (61, 1);

INSERT INTO board (id, revision, minted, seed) VALUES
    (1, 0, 0, '');

INSERT INTO templates (id, name, title, state, body, position, version, created_at, updated_at, maintenance) VALUES
    ('identified', 'Found the cause', '', 'identified', 'We have found the cause of the problem with {components} and are working on a fix.', 2, 1, 0, 0, 0),
    ('investigating', 'Investigating', '', 'investigating', 'We are investigating a problem with {components}. We will say more as soon as we know it.', 1, 1, 0, 0, 0),
    ('monitoring', 'Fixed, watching', '', 'monitoring', 'A fix is in place. We are watching {components} before we call this resolved.', 4, 1, 0, 0, 0),
    ('provider', 'A provider is down', '', 'identified', 'A provider that we depend on has a disturbance, which affects {components}. We are in touch with them.', 3, 1, 0, 0, 0),
    ('resolved', 'Resolved', '', 'resolved', 'This issue has been resolved. It lasted {duration}. We are sorry for the trouble.', 6, 1, 0, 0, 0),
    ('still', 'Still on it', '', '', 'We are still working on this. The next update follows within 30 minutes.', 5, 1, 0, 0, 0),
    ('work-begun', 'Work has begun', '', '', 'We have begun to work on {components}. We expect it to take {duration}.', 7, 1, 0, 0, 1),
    ('work-done', 'Work is done', '', '', 'The work on {components} is done. Thank you for your patience.', 10, 1, 0, 0, 1),
    ('work-goes', 'On schedule', '', '', 'The work on {components} goes as planned.', 8, 1, 0, 0, 1),
    ('work-longer', 'Takes longer', '', '', 'The work on {components} takes longer than planned. We are sorry, and say more as soon as we know it.', 9, 1, 0, 0, 1);
