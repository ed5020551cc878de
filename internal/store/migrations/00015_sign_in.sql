-- Where a session signed in from.

-- +goose Up
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
