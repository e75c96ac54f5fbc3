-- What tells a topic from a later one of the same name, and how far a partition's time has come.

ALTER TABLE sources
    -- Null in a log that has no such thing, and in rows of an earlier schema: the next run's id is taken over.
    ADD COLUMN topic_id text,
    -- What a stretch of records' timestamps agree on: no single clock moves it. Null before it is known.
    ADD COLUMN log_time timestamptz;

COMMENT ON COLUMN sources.topic_id IS 'Kafka''s id of the topic that was read: a topic created anew under its name has another.';
COMMENT ON COLUMN sources.log_time IS 'How far the partition''s time has come, by what all of a thousand records say.';
