-- A claim and a renewed lease write due_at, of every mail. While due_at is in no
-- index, PostgreSQL writes the row alone and leaves all seven indexes as they
-- are (a heap-only tuple). The release before this one runs on this schema, it
-- only sorts what is due. Its way back is the same index over due_at.

-- +goose Up
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (channel, priority, created_at) WHERE state = 'queued';
