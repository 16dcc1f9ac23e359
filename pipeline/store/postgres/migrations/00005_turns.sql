-- Imports that nobody attends are driven by any process, and organizations take turns.

-- +goose Up
CREATE TABLE turns (
    organization bigint PRIMARY KEY REFERENCES organizations,
    taken_at     bigint NOT NULL -- when its turn last came, in milliseconds
);
CREATE INDEX imports_open ON imports (id) WHERE state IN ('queued', 'applying') AND NOT attended;
