-- Posts are counted for a monthly budget, and a delivery knows whether a rule
-- names its channel. New columns have defaults: the release before this one
-- runs on this schema.

-- +goose Up
ALTER TABLE dispatches ADD COLUMN named BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE deliveries ADD COLUMN named BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE posts (
    channel TEXT NOT NULL,
    month   TEXT NOT NULL,
    posts   BIGINT NOT NULL,
    PRIMARY KEY (channel, month)
);
