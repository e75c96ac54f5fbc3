-- When a correction was committed, by the store's clock; null in rows of an earlier schema.
ALTER TABLE corrections ADD COLUMN noticed_at timestamptz;
