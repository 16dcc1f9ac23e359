-- Schedules, and what became of each file in each of their runs.

-- +goose Up
CREATE TABLE schedules (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    organization      INTEGER NOT NULL REFERENCES organizations,
    name              TEXT    NOT NULL,
    cron              TEXT    NOT NULL,
    zone              TEXT    NOT NULL,
    file              TEXT    NOT NULL, -- blank: dir
    dir               TEXT    NOT NULL,
    max_claims        INTEGER NOT NULL,
    accept_edits      INTEGER NOT NULL,
    all_or_nothing    INTEGER NOT NULL,
    activation_emails INTEGER, -- NULL: as the organization has it
    notify            TEXT, -- JSON; NULL: nobody
    confined          INTEGER NOT NULL,
    paused            INTEGER NOT NULL,
    consented_by      TEXT    NOT NULL,
    consented_at      INTEGER NOT NULL,
    next_run_at       INTEGER, -- NULL: never
    run               INTEGER NOT NULL, -- number of the run that began last
    run_since         INTEGER, -- NULL: it has ended
    run_claims        INTEGER NOT NULL,
    runner            TEXT    NOT NULL,
    epoch             INTEGER NOT NULL,
    lease_until       INTEGER -- NULL: nobody owns it
) STRICT;
CREATE UNIQUE INDEX schedules_name ON schedules (organization, name);
CREATE INDEX schedules_due ON schedules (next_run_at) WHERE NOT paused AND next_run_at IS NOT NULL;

CREATE TABLE schedule_runs (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    schedule INTEGER NOT NULL REFERENCES schedules ON DELETE CASCADE,
    number   INTEGER NOT NULL, -- of the run
    at       INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    file     TEXT    NOT NULL,
    sha256   TEXT    NOT NULL, -- blank: it could not be read
    import   INTEGER REFERENCES imports ON DELETE SET NULL, -- NULL: none
    code     TEXT    NOT NULL,
    message  TEXT    NOT NULL,
    open     INTEGER NOT NULL, -- what becomes of the import is still to be noted
    told     INTEGER NOT NULL
) STRICT;
CREATE INDEX schedule_runs_schedule ON schedule_runs (schedule, number);
CREATE INDEX schedule_runs_content ON schedule_runs (schedule, sha256) WHERE sha256 <> '';
CREATE INDEX schedule_runs_import ON schedule_runs (import) WHERE import IS NOT NULL;
CREATE INDEX schedule_runs_open ON schedule_runs (id) WHERE open;
CREATE INDEX schedule_runs_untold ON schedule_runs (id) WHERE NOT told;
