-- How the files of a schedule are to be read where that is not certain.

-- +goose Up
ALTER TABLE schedules ADD COLUMN reading TEXT NOT NULL DEFAULT '{}'; -- JSON
