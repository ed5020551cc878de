-- Templates: words to begin an update with. Those here are where a new page
-- starts; people change or remove them.

-- +goose Up
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
);

INSERT INTO templates (id, name, title, state, body, position, version, created_at, updated_at) VALUES
    ('investigating', 'Investigating', '', 'investigating', 'We are investigating a problem with {components}. We will say more as soon as we know it.', 1, 1, 0, 0),
    ('identified', 'Found the cause', '', 'identified', 'We have found the cause of the problem with {components} and are working on a fix.', 2, 1, 0, 0),
    ('provider', 'A provider is down', '', 'identified', 'A provider that we depend on has a disturbance, which affects {components}. We are in touch with them.', 3, 1, 0, 0),
    ('monitoring', 'Fixed, watching', '', 'monitoring', 'A fix is in place. We are watching {components} before we call this resolved.', 4, 1, 0, 0),
    ('still', 'Still on it', '', '', 'We are still working on this. The next update follows within 30 minutes.', 5, 1, 0, 0),
    ('resolved', 'Resolved', '', 'resolved', 'This issue has been resolved. It lasted {duration}. We are sorry for the trouble.', 6, 1, 0, 0);
