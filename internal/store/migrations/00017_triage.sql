-- Who published an issue, who looks after it, and until when its draft is put
-- off. The defaults let the release before this one run on this schema.

-- +goose Up
ALTER TABLE issues ADD COLUMN published_by TEXT NOT NULL DEFAULT '';
ALTER TABLE issues ADD COLUMN claimed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE issues ADD COLUMN claimed_at BIGINT;
ALTER TABLE issues ADD COLUMN snoozed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE issues ADD COLUMN snoozed_until BIGINT;
