-- How the files of a schedule are to be read where that is not certain.

-- +goose Up
ALTER TABLE schedules ADD COLUMN reading text NOT NULL DEFAULT '{}'; -- JSON
