-- Alerts that a maintenance sets off: matchers, as a list.

-- +goose Up
ALTER TABLE maintenances ADD COLUMN expected TEXT;
ALTER TABLE maintenance_series ADD COLUMN expected TEXT;
