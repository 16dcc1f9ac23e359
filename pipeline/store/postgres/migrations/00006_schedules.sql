-- Schedules, and what became of each file in each of their runs.

-- +goose Up
CREATE TABLE schedules (
    id                bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization      bigint  NOT NULL REFERENCES organizations,
    name              text    NOT NULL,
    cron              text    NOT NULL,
    zone              text    NOT NULL,
    file              bytea   NOT NULL, -- its name, which need not be text; blank: dir
    dir               bytea   NOT NULL,
    max_claims        bigint  NOT NULL,
    accept_edits      boolean NOT NULL,
    all_or_nothing    boolean NOT NULL,
    activation_emails boolean, -- NULL: as the organization has it
    notify            text[], -- NULL: nobody
    confined          boolean NOT NULL,
    paused            boolean NOT NULL,
    consented_by      text    NOT NULL,
    consented_at      bigint  NOT NULL,
    next_run_at       bigint, -- NULL: never
    run               bigint  NOT NULL, -- number of the run that began last
    run_since         bigint, -- NULL: it has ended
    run_claims        bigint  NOT NULL,
    runner            text    NOT NULL,
    epoch             bigint  NOT NULL,
    lease_until       bigint -- by the clock of the database; NULL: nobody owns it
);
CREATE UNIQUE INDEX schedules_name ON schedules (organization, name);
CREATE INDEX schedules_due ON schedules (next_run_at) WHERE NOT paused AND next_run_at IS NOT NULL;

CREATE TABLE schedule_runs (
    id       bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule bigint  NOT NULL REFERENCES schedules ON DELETE CASCADE,
    number   bigint  NOT NULL, -- of the run
    at       bigint  NOT NULL,
    state    text    NOT NULL,
    file     bytea   NOT NULL,
    sha256   text    NOT NULL, -- blank: it could not be read
    import   bigint  REFERENCES imports ON DELETE SET NULL, -- NULL: none
    code     text    NOT NULL,
    message  text    NOT NULL,
    open     boolean NOT NULL, -- what becomes of the import is still to be noted
    told     boolean NOT NULL
);
CREATE INDEX schedule_runs_schedule ON schedule_runs (schedule, number);
CREATE INDEX schedule_runs_content ON schedule_runs (schedule, sha256) WHERE sha256 <> '';
CREATE INDEX schedule_runs_import ON schedule_runs (import) WHERE import IS NOT NULL;
CREATE INDEX schedule_runs_open ON schedule_runs (id) WHERE open;
CREATE INDEX schedule_runs_untold ON schedule_runs (id) WHERE NOT told;
