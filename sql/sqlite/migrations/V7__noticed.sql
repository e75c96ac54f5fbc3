-- When a correction was committed, as in PostgreSQL: see there.
ALTER TABLE corrections ADD COLUMN noticed_at TEXT;
