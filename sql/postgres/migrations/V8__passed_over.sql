-- What a run was told to resume behind: it was never counted, and must never be taken for counted.

ALTER TABLE sources
    -- Stretches of offsets, [[first, one after the last], ...]; null where there is none.
    ADD COLUMN passed_over text;

COMMENT ON COLUMN sources.passed_over IS 'Offsets that --resume-at passed over, [[first, one after the last], ...]: no part of the totals.';
