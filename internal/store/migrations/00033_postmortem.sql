-- The words of a post-mortem that is not published. The default lets the
-- release before this one run on this schema.

-- +goose Up
ALTER TABLE issues ADD COLUMN postmortem_draft TEXT NOT NULL DEFAULT '';
