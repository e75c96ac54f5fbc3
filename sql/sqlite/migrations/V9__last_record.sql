-- What tells the log that was read from one that was cut off and grew again, and places that come twice, as in
-- PostgreSQL: see there. A primary key can not be changed here: the tables are made anew.

-- {"offset", "leader_epoch", "checksum"}; null before any record of the partition was read under this schema.
ALTER TABLE sources ADD COLUMN last_record TEXT;

CREATE TABLE corrections_by_epoch (
    topic              TEXT    NOT NULL,
    partition          INTEGER NOT NULL,
    "offset"           INTEGER NOT NULL,
    order_id           TEXT    NOT NULL,
    why                TEXT    NOT NULL CHECK (why IN ('correction', 'cancellation')),
    was_order_date     TEXT,
    was_category       TEXT,
    was_payment_method TEXT,
    was_currency       TEXT,
    was_amount         TEXT,
    was_units          INTEGER,
    now_order_date     TEXT,
    now_category       TEXT,
    now_payment_method TEXT,
    now_currency       TEXT,
    now_amount         TEXT,
    now_units          INTEGER,
    epoch              INTEGER NOT NULL,
    was_product        TEXT,
    now_product        TEXT,
    noticed_at         TEXT,
    PRIMARY KEY (topic, partition, "offset", epoch)
) STRICT;
INSERT INTO corrections_by_epoch (topic, partition, "offset", order_id, why, was_order_date, was_category,
    was_payment_method, was_currency, was_amount, was_units, now_order_date, now_category, now_payment_method,
    now_currency, now_amount, now_units, epoch, was_product, now_product, noticed_at)
SELECT topic, partition, "offset", order_id, why, was_order_date, was_category,
    was_payment_method, was_currency, was_amount, was_units, now_order_date, now_category, now_payment_method,
    now_currency, now_amount, now_units, epoch, was_product, now_product, noticed_at
FROM corrections ORDER BY epoch;
DROP TABLE corrections;
ALTER TABLE corrections_by_epoch RENAME TO corrections;
CREATE INDEX corrections_epoch ON corrections (epoch);
CREATE INDEX corrections_order_id ON corrections (order_id);

CREATE TABLE rejected_by_epoch (
    topic     TEXT    NOT NULL,
    partition INTEGER NOT NULL,
    "offset"  INTEGER NOT NULL,
    key       BLOB,
    payload   BLOB,
    reason    TEXT    NOT NULL,
    epoch     INTEGER NOT NULL,
    PRIMARY KEY (topic, partition, "offset", epoch)
) STRICT;
INSERT INTO rejected_by_epoch (topic, partition, "offset", key, payload, reason, epoch)
SELECT topic, partition, "offset", key, payload, reason, epoch FROM rejected ORDER BY epoch;
DROP TABLE rejected;
ALTER TABLE rejected_by_epoch RENAME TO rejected;
CREATE INDEX rejected_epoch ON rejected (epoch);
