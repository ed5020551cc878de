-- What the metrics on the page came to: measured by the minute (60000), and
-- made of that by ten minutes and by the hour.

-- +goose Up
CREATE TABLE samples (
    chart    TEXT NOT NULL,
    step     BIGINT NOT NULL CHECK (step > 0),
    at       BIGINT NOT NULL,
    low      DOUBLE PRECISION NOT NULL,
    high     DOUBLE PRECISION NOT NULL,
    mean     DOUBLE PRECISION NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (chart, step, at)
);
CREATE INDEX samples_step ON samples (step, at);
CREATE INDEX samples_revision ON samples (revision);
