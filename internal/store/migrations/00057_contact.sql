-- Whom to tell by mail when a program is told no more.

-- +goose Up
ALTER TABLE subscribers ADD COLUMN contact TEXT NOT NULL DEFAULT '';
CREATE INDEX subscribers_contact ON subscribers (contact) WHERE contact <> '';
