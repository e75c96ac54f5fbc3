-- What else a recount must know of how the totals were made, as in PostgreSQL: see there.

ALTER TABLE job ADD COLUMN payload_limit INTEGER;
ALTER TABLE job ADD COLUMN volume_window INTEGER;
ALTER TABLE job ADD COLUMN correction_window_ms INTEGER;

CREATE TABLE runs (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    run        TEXT    NOT NULL UNIQUE,
    epoch      INTEGER NOT NULL,
    switched   INTEGER NOT NULL,
    started_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
