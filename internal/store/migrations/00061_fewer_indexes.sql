-- A mail that is marked writes every index of its row anew. Whether a dispatch is
-- done is seen in the queue of its channel, and only feeds answer to what they
-- said first. The queue is in the order in which it is sent. The release before this one runs on this schema, it searches longer.

-- +goose Up
DROP INDEX deliveries_waiting;
DROP INDEX deliveries_subject;
CREATE INDEX deliveries_root ON deliveries (subject_id, channel) WHERE subscriber_id = '';
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (channel, priority DESC, created_at) WHERE state = 'queued';
