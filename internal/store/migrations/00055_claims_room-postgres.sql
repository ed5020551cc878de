-- The row that a claim writes fits beside the one it replaces. Rows of before
-- are where they are.

-- +goose Up
ALTER TABLE deliveries SET (fillfactor = 50);
