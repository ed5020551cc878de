-- Operators are told of drafts that wait, and once more when one waits too long.
-- SQLite cannot change a CHECK, so the table with a new word in one is built
-- anew. The column may be empty: the release before this one runs on this schema.

-- +goose Up
CREATE TABLE timers_then (
    kind    TEXT NOT NULL CHECK (kind IN ('hold', 'publish', 'settle', 'judge', 'confirm', 'remind', 'nudge')),
    subject TEXT NOT NULL,
    due_at  BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);
INSERT INTO timers_then (kind, subject, due_at) SELECT kind, subject, due_at FROM timers;
DROP TABLE timers;
ALTER TABLE timers_then RENAME TO timers;

ALTER TABLE issues ADD COLUMN called_at BIGINT;
