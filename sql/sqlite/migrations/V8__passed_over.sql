-- What a run was told to resume behind: it was never counted, and must never be taken for counted.

-- Stretches of offsets, [[first, one after the last], ...]; null where there is none.
ALTER TABLE sources ADD COLUMN passed_over TEXT;
