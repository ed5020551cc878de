-- Each look for what is to be announced asks whether any program listens.

-- +goose Up
CREATE INDEX subscribers_programs ON subscribers (id) WHERE secret <> '';
