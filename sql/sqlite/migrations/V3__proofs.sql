-- What is proven of the totals, and what can not be a total. As in PostgreSQL: see there.

CREATE TABLE inconsistent (
    view        TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    stands      TEXT,
    would_be    TEXT    NOT NULL,
    since_epoch INTEGER NOT NULL,
    epoch       INTEGER NOT NULL,
    cured_epoch INTEGER,
    noticed_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    PRIMARY KEY (view, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE proven_days (
    order_date  TEXT    NOT NULL PRIMARY KEY,
    outcome     TEXT    NOT NULL CHECK (outcome IN ('proven', 'differs', 'not_provable')),
    proven_at   TEXT    NOT NULL,
    epoch       INTEGER NOT NULL,
    orders      INTEGER NOT NULL,
    rows        INTEGER NOT NULL,
    differences INTEGER NOT NULL,
    shown       TEXT    NOT NULL DEFAULT '[]',
    reason      TEXT
) STRICT, WITHOUT ROWID;

CREATE VIEW day_proofs AS
SELECT d.order_date,
       CASE WHEN p.order_date IS NULL THEN 'unproven'
            WHEN p.outcome = 'proven' AND p.epoch < d.epoch THEN 'changed'
            ELSE p.outcome END AS state,
       p.proven_at, p.epoch, p.orders, p.rows, p.differences, p.shown, p.reason
FROM changed_days d LEFT JOIN proven_days p ON p.order_date = d.order_date
WHERE d.order_date < (SELECT max(order_date) FROM changed_days);
