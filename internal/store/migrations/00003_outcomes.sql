-- What each alert of a webhook did, and which rules took it: for explain, the
-- admin and back-tests. NULL while nobody has looked at the webhook.

-- +goose Up
ALTER TABLE webhooks ADD COLUMN outcomes TEXT;
