-- The tables of takings. Names and columns are a contract, the same as in PostgreSQL: readers' queries
-- depend on them.
--
-- What differs from PostgreSQL, since SQLite has neither an exact decimal nor a date:
-- - `total_sales` is exact decimal text with six places, for reading; `total_sales_micros` is the same in
--   millionths as an integer, for sums and sorting, and null where it does not fit 64 bits (past nine
--   trillion). Never sum the text: SQLite would make it a float.
-- - Dates are `YYYY-MM-DD`, an order's moment `YYYY-MM-DDTHH:MM:SS.ffffff` (the shop's local time), other
--   moments `YYYY-MM-DDTHH:MM:SS.fffZ`. Text order is time order.
-- - Lists (`views`, `topics`) and the keys in `removals` are JSON text.
--
-- - STRICT refuses a value of another type than its column's. WITHOUT ROWID keeps a row in its key's tree:
--   one tree to change for each total.
--
-- "What changed since epoch E" goes by day, and U+0000 in text is written `␀0`, as in PostgreSQL: see there.

CREATE TABLE job (
    only_row         INTEGER PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    generation       INTEGER NOT NULL DEFAULT 0,
    epoch            INTEGER NOT NULL DEFAULT 0,
    committed_at     TEXT,
    -- Every removal of an epoch after this one is still in `removals`; kept up to date there.
    removals_after   INTEGER NOT NULL DEFAULT 0,
    -- The settings the totals were made under; null until the first run.
    time_zone        TEXT,
    default_currency TEXT,
    keep_orders      INTEGER CHECK (keep_orders IN (0, 1)),
    views            TEXT,
    topics           TEXT,
    log              TEXT    
) STRICT;
INSERT INTO job DEFAULT VALUES;

CREATE TABLE sales_per_category (
    order_date         TEXT    NOT NULL,
    category           TEXT    NOT NULL,
    currency           TEXT    NOT NULL,
    total_sales        TEXT    NOT NULL,
    total_sales_micros INTEGER,
    orders             INTEGER NOT NULL,
    units              INTEGER NOT NULL,
    epoch              INTEGER NOT NULL,
    PRIMARY KEY (order_date, category, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE sales_per_day (
    order_date         TEXT    NOT NULL,
    currency           TEXT    NOT NULL,
    total_sales        TEXT    NOT NULL,
    total_sales_micros INTEGER,
    orders             INTEGER NOT NULL,
    units              INTEGER NOT NULL,
    epoch              INTEGER NOT NULL,
    PRIMARY KEY (order_date, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE sales_per_month (
    year               INTEGER NOT NULL,
    month              INTEGER NOT NULL,
    currency           TEXT    NOT NULL,
    total_sales        TEXT    NOT NULL,
    total_sales_micros INTEGER,
    orders             INTEGER NOT NULL,
    units              INTEGER NOT NULL,
    epoch              INTEGER NOT NULL,
    PRIMARY KEY (year, month, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE sales_per_payment_method (
    order_date         TEXT    NOT NULL,
    payment_method     TEXT    NOT NULL,
    currency           TEXT    NOT NULL,
    total_sales        TEXT    NOT NULL,
    total_sales_micros INTEGER,
    orders             INTEGER NOT NULL,
    units              INTEGER NOT NULL,
    epoch              INTEGER NOT NULL,
    PRIMARY KEY (order_date, payment_method, currency)
) STRICT, WITHOUT ROWID;

-- The last epoch that changed any total of a day, in any view, removals included. See the top.
CREATE TABLE changed_days (
    order_date TEXT    NOT NULL PRIMARY KEY,
    epoch      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Rows that left a view, for feeds that resume: kept for a day. The key is a JSON object of the view's key
-- columns. A feed applies removals first, then rows: a key that came back is in its view again.
CREATE TABLE removals (
    view       TEXT    NOT NULL,
    key        TEXT    NOT NULL CHECK (json_valid(key)),
    epoch      INTEGER NOT NULL,
    removed_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    PRIMARY KEY (epoch, view, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX removals_removed_at ON removals (removed_at);

-- Whoever deletes removals, a feed must be able to tell that it no longer knows all since some epoch.
CREATE TRIGGER removals_forgotten AFTER DELETE ON removals BEGIN
    UPDATE job SET removals_after = max(removals_after, OLD.epoch);
END;

CREATE TABLE corrections (
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
    PRIMARY KEY (topic, partition, "offset")
) STRICT;
CREATE INDEX corrections_epoch ON corrections (epoch);
CREATE INDEX corrections_order_id ON corrections (order_id);

CREATE TABLE rejected (
    topic     TEXT    NOT NULL,
    partition INTEGER NOT NULL,
    "offset"  INTEGER NOT NULL,
    key       BLOB,
    payload   BLOB,
    reason    TEXT    NOT NULL,
    epoch     INTEGER NOT NULL,
    PRIMARY KEY (topic, partition, "offset")
) STRICT;
CREATE INDEX rejected_epoch ON rejected (epoch);

CREATE TABLE sources (
    topic            TEXT    NOT NULL,
    partition        INTEGER NOT NULL,
    "offset"         INTEGER NOT NULL,
    newest_timestamp TEXT,
    read             INTEGER NOT NULL,
    applied          INTEGER NOT NULL,
    duplicates       INTEGER NOT NULL,
    superseded       INTEGER NOT NULL,
    corrections      INTEGER NOT NULL,
    cancellations    INTEGER NOT NULL,
    rejected         INTEGER NOT NULL,
    other            INTEGER NOT NULL,
    beyond_horizon   INTEGER NOT NULL,
    rounded          INTEGER NOT NULL,
    epoch            INTEGER NOT NULL,
    PRIMARY KEY (topic, partition),
    CONSTRAINT books_balance CHECK (
        read = applied + duplicates + superseded + corrections + cancellations + rejected + other)
) STRICT, WITHOUT ROWID;

-- Only filled with --keep-orders.
CREATE TABLE orders (
    topic               TEXT    NOT NULL,
    order_id            TEXT    NOT NULL,
    product_id          TEXT    NOT NULL,
    product_name        TEXT,
    product_category    TEXT    NOT NULL,
    product_price       TEXT,
    product_quantity    INTEGER NOT NULL,
    product_brand       TEXT,
    total_amount        TEXT    NOT NULL,
    total_amount_micros INTEGER,
    currency            TEXT    NOT NULL,
    customer_id         TEXT,
    order_date          TEXT    NOT NULL,
    business_day        TEXT    NOT NULL,
    payment_method      TEXT    NOT NULL,
    fingerprint         INTEGER NOT NULL,
    partition           INTEGER NOT NULL,
    "offset"            INTEGER NOT NULL,
    log_timestamp       INTEGER NOT NULL,
    epoch               INTEGER NOT NULL,
    PRIMARY KEY (topic, order_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_business_day ON orders (business_day);

-- The newest version of an order that was cancelled, so that an older one never revives it.
CREATE TABLE cancelled_orders (
    topic         TEXT    NOT NULL,
    order_id      TEXT    NOT NULL,
    partition     INTEGER NOT NULL,
    "offset"      INTEGER NOT NULL,
    log_timestamp INTEGER NOT NULL,
    epoch         INTEGER NOT NULL,
    PRIMARY KEY (topic, order_id)
) STRICT, WITHOUT ROWID;
