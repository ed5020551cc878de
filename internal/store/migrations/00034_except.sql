-- Channels that the person who published left out. The release
-- before this one runs on this schema, too.

-- +goose Up
ALTER TABLE announcements ADD COLUMN left_out TEXT;
