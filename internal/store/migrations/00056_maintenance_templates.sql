-- Templates of updates about maintenance. Those here are where a page starts;
-- people change or remove them.

-- +goose Up
ALTER TABLE templates ADD COLUMN maintenance BOOLEAN NOT NULL DEFAULT FALSE;

INSERT INTO templates (id, name, title, state, body, position, version, created_at, updated_at, maintenance)
SELECT 'work-begun', 'Work has begun', '', '', 'We have begun to work on {components}. We expect it to take {duration}.', 7, 1, 0, 0, TRUE
    WHERE NOT EXISTS (SELECT 1 FROM templates WHERE LOWER(name) = 'work has begun')
UNION ALL SELECT 'work-goes', 'On schedule', '', '', 'The work on {components} goes as planned.', 8, 1, 0, 0, TRUE
    WHERE NOT EXISTS (SELECT 1 FROM templates WHERE LOWER(name) = 'on schedule')
UNION ALL SELECT 'work-longer', 'Takes longer', '', '', 'The work on {components} takes longer than planned. We are sorry, and say more as soon as we know it.', 9, 1, 0, 0, TRUE
    WHERE NOT EXISTS (SELECT 1 FROM templates WHERE LOWER(name) = 'takes longer')
UNION ALL SELECT 'work-done', 'Work is done', '', '', 'The work on {components} is done. Thank you for your patience.', 10, 1, 0, 0, TRUE
    WHERE NOT EXISTS (SELECT 1 FROM templates WHERE LOWER(name) = 'work is done');
