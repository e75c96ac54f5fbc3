-- What is proven of the totals, and what can not be a total.

-- Rows whose total no set of records can have (fewer than no orders, money without an order). Such a value is never
-- written to its view: the view keeps the last one that could be, and here stands what it would be. A row with a
-- `cured_epoch` is history: its total could be one again from that epoch on, and was written. Key and values are
-- JSON objects of the view's columns.
CREATE TABLE inconsistent (
    view        text        NOT NULL,
    key         text        NOT NULL,
    -- What the view's row holds meanwhile; null: it has no row.
    stands      text,
    would_be    text        NOT NULL,
    since_epoch bigint      NOT NULL,
    -- The epoch that last changed what it would be.
    epoch       bigint      NOT NULL,
    cured_epoch bigint,
    noticed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (view, key)
);

-- What the background audit last found of a day, recounted from the log: one row a day.
CREATE TABLE proven_days (
    order_date  date        NOT NULL PRIMARY KEY,
    outcome     text        NOT NULL CHECK (outcome IN ('proven', 'differs', 'not_provable')),
    -- When the verdict was reached, and the epoch whose totals it is of.
    proven_at   timestamptz NOT NULL,
    epoch       bigint      NOT NULL,
    -- Orders and rows that were recounted.
    orders      bigint      NOT NULL,
    rows        bigint      NOT NULL,
    differences bigint      NOT NULL,
    -- The first differences: a JSON array of objects (what, stored, counted).
    shown       text        NOT NULL DEFAULT '[]',
    -- Why it is not provable.
    reason      text
);

-- Every closed day (all before the newest one) and how it stands: `unproven` where no verdict was reached yet, `changed`
-- where it was proven and a total of it changed since, or else the last verdict.
CREATE VIEW day_proofs AS
SELECT d.order_date,
       CASE WHEN p.order_date IS NULL THEN 'unproven'
            WHEN p.outcome = 'proven' AND p.epoch < d.epoch THEN 'changed'
            ELSE p.outcome END AS state,
       p.proven_at, p.epoch, p.orders, p.rows, p.differences, p.shown, p.reason
FROM changed_days d LEFT JOIN proven_days p USING (order_date)
WHERE d.order_date < (SELECT max(order_date) FROM changed_days);

COMMENT ON TABLE inconsistent IS 'Rows whose total no set of records can have: what stands in the view, what it would be.';
COMMENT ON TABLE proven_days IS 'What the background audit last found of each day, recounted from the log.';
COMMENT ON VIEW day_proofs IS 'Every closed day, and whether it is proven.';
