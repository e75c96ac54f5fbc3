-- What tells a topic from a later one of the same name, and how far a partition's time has come.

-- Null in a log that has no such thing, and in rows of an earlier schema: the next run's id is taken over.
ALTER TABLE sources ADD COLUMN topic_id TEXT;
-- What a stretch of records' timestamps agree on: no single clock moves it. Null before it is known.
ALTER TABLE sources ADD COLUMN log_time TEXT;
