-- What tells the log that was read from one that was cut off and grew again. And a place in the log may come twice: a
-- topic that was created anew, or cut off, has other records at the offsets of the old ones.

ALTER TABLE sources
    -- Null before any record of the partition was read under this schema.
    ADD COLUMN last_record text;
ALTER TABLE corrections
    DROP CONSTRAINT corrections_pkey,
    ADD PRIMARY KEY (topic, partition, "offset", epoch);
ALTER TABLE rejected
    DROP CONSTRAINT rejected_pkey,
    ADD PRIMARY KEY (topic, partition, "offset", epoch);

COMMENT ON COLUMN sources.last_record IS 'The last record read: {"offset", "leader_epoch", "checksum"}. A start looks for it at its offset.';
