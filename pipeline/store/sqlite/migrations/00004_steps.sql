-- An import is driven in steps, by any process. Who started what there is did so at a terminal.

-- +goose Up
ALTER TABLE imports ADD COLUMN attended INTEGER NOT NULL DEFAULT 1;
ALTER TABLE imports ADD COLUMN edits_accepted INTEGER NOT NULL DEFAULT 0;

-- Counts of versions.facts: from the one to the other, nobody but the import has changed anything a rule
-- looks at.
ALTER TABLE imports ADD COLUMN own_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN own_to   INTEGER NOT NULL DEFAULT 0;
