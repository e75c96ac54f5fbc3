-- What else a recount must know of how the totals were made. Null in a store of an earlier schema, until its next start.

ALTER TABLE job
    ADD COLUMN payload_limit        bigint,
    ADD COLUMN volume_window        bigint,
    ADD COLUMN correction_window_ms bigint;

COMMENT ON COLUMN job.payload_limit IS 'Payloads over this many bytes are rejected; a run with another limit is refused.';
COMMENT ON COLUMN job.volume_window IS 'How many minutes orders_per_minute reaches back.';
COMMENT ON COLUMN job.correction_window_ms IS 'How far back a correction reaches, in milliseconds; null: as far as the log.';

-- Each start of a job, the last thousand. An epoch is of the run that committed it: where a store went back, the runs that it
-- lost are not here, and a reader who saw what they committed is told to start over.
CREATE TABLE runs (
    number     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run        text        NOT NULL UNIQUE,
    epoch      bigint      NOT NULL,
    switched   boolean     NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE runs IS 'Each start of a job on this store, the last thousand.';
COMMENT ON COLUMN runs.run IS 'Its name, by chance: a part of ETags and of the ids of events.';
COMMENT ON COLUMN runs.epoch IS 'The last epoch before it.';
COMMENT ON COLUMN runs.switched IS 'Whether it took rows of views away that are kept no more, which no epoch tells.';
