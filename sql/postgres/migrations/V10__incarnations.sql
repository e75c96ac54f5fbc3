-- Which of two records at places of one partition is the later one, where its offsets came twice: a topic was deleted and
-- created anew, or its log lost its end, and a run was told to go on (--resume-at). How often that was says which log an
-- offset is of; the records of the later log are later. In what was written so far it is not told apart.

ALTER TABLE sources
    ADD COLUMN incarnation integer NOT NULL DEFAULT 0,
    -- Null where its log never began anew. What is dated up to here may have been counted and be gone.
    ADD COLUMN lost_until timestamptz;
ALTER TABLE orders ADD COLUMN incarnation integer NOT NULL DEFAULT 0;
ALTER TABLE cancelled_orders ADD COLUMN incarnation integer NOT NULL DEFAULT 0;
ALTER TABLE listings ADD COLUMN incarnation integer NOT NULL DEFAULT 0;
ALTER TABLE feedback ADD COLUMN incarnation integer NOT NULL DEFAULT 0;

COMMENT ON COLUMN sources.incarnation IS 'How often the partition''s log began anew below what was read, so that offsets came twice.';
COMMENT ON COLUMN sources.lost_until IS 'What is dated up to here may have been counted and be gone from the log, since it began anew.';
COMMENT ON COLUMN orders.incarnation IS 'Of which of the partition''s logs the offset is: see sources.incarnation.';
