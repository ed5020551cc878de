-- Subscribers may be programs: their address is an https URL, and what is sent
-- there is signed with the secret. The default lets the release before this one
-- run on this schema.

-- +goose Up
ALTER TABLE subscribers ADD COLUMN secret TEXT NOT NULL DEFAULT '';
