-- Which issue goes on in the place of one that was merged. The default lets the
-- release before this one run on this schema.

-- +goose Up
ALTER TABLE issues ADD COLUMN merged_into TEXT NOT NULL DEFAULT '';
CREATE INDEX issues_merged ON issues (merged_into) WHERE merged_into <> '';
