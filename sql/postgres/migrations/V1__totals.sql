-- The tables of takings. Names and columns are a contract: readers' queries depend on them.
--
-- Totals change every epoch, so their updates must be heap-only: fillfactor 50 leaves room on the page, and
-- no index holds a column that changes. Measured, 20,000 of 24,000 rows updated a transaction, microseconds
-- a row: 2.5 so; 5.5 to 6.5 with a btree on `epoch`; 5.6 with BRIN (which before PostgreSQL 16 stops
-- heap-only updates as well); 5 to 8 at fillfactor 100.
--
-- "What changed since epoch E" therefore goes by day, and reads only the days that changed:
--     SELECT t.* FROM changed_days d JOIN sales_per_category t USING (order_date)
--     WHERE d.epoch > E AND t.epoch > E
-- `WHERE epoch > E` alone is as right, and reads the table. Months are few and need no help.
--
-- Text can not hold U+0000 in PostgreSQL. Where an event has one, `␀0` is written, and `␀␀` for the sign
-- `␀` (U+2400) itself; all else is written as it came.

CREATE TABLE job (
    only_row         boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    generation       bigint NOT NULL DEFAULT 0,
    epoch            bigint NOT NULL DEFAULT 0,
    committed_at     timestamptz,
    -- Every removal of an epoch after this one is still in `removals`; kept up to date there.
    removals_after   bigint NOT NULL DEFAULT 0,
    -- The settings the totals were made under; null until the first run.
    time_zone        text,
    default_currency text,
    keep_orders      boolean,
    views            text[],
    topics           text[],
    log              text
);
INSERT INTO job DEFAULT VALUES;

CREATE TABLE sales_per_category (
    order_date  date   NOT NULL,
    category    text   NOT NULL,
    currency    text   NOT NULL,
    total_sales numeric(38, 6) NOT NULL,
    orders      bigint NOT NULL,
    units       bigint NOT NULL,
    epoch       bigint NOT NULL,
    PRIMARY KEY (order_date, category, currency)
) WITH (fillfactor = 50);

CREATE TABLE sales_per_day (
    order_date  date   NOT NULL,
    currency    text   NOT NULL,
    total_sales numeric(38, 6) NOT NULL,
    orders      bigint NOT NULL,
    units       bigint NOT NULL,
    epoch       bigint NOT NULL,
    PRIMARY KEY (order_date, currency)
) WITH (fillfactor = 50);

CREATE TABLE sales_per_month (
    year        integer NOT NULL,
    month       integer NOT NULL,
    currency    text    NOT NULL,
    total_sales numeric(38, 6) NOT NULL,
    orders      bigint  NOT NULL,
    units       bigint  NOT NULL,
    epoch       bigint  NOT NULL,
    PRIMARY KEY (year, month, currency)
) WITH (fillfactor = 50);

CREATE TABLE sales_per_payment_method (
    order_date     date   NOT NULL,
    payment_method text   NOT NULL,
    currency       text   NOT NULL,
    total_sales    numeric(38, 6) NOT NULL,
    orders         bigint NOT NULL,
    units          bigint NOT NULL,
    epoch          bigint NOT NULL,
    PRIMARY KEY (order_date, payment_method, currency)
) WITH (fillfactor = 50);

-- The last epoch that changed any total of a day, in any view, removals included. See the top.
CREATE TABLE changed_days (
    order_date date    NOT NULL PRIMARY KEY,
    epoch      bigint  NOT NULL
) WITH (fillfactor = 50);

-- Rows that left a view, for feeds that resume: kept for a day. The key is an object of the view's key
-- columns. A feed applies removals first, then rows: a key that came back is in its view again.
CREATE TABLE removals (
    view       text   NOT NULL,
    key        jsonb  NOT NULL,
    epoch      bigint NOT NULL,
    removed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (epoch, view, key)
);
CREATE INDEX removals_removed_at ON removals (removed_at);

-- Whoever deletes removals, a feed must be able to tell that it no longer knows all since some epoch.
CREATE FUNCTION removals_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE job SET removals_after = gone.epoch
    FROM (SELECT max(epoch) AS epoch FROM gone) AS gone WHERE removals_after < gone.epoch;
    RETURN NULL;
END
$$;
CREATE TRIGGER removals_forgotten AFTER DELETE ON removals
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION removals_forgotten();

CREATE TABLE corrections (
    topic              text    NOT NULL,
    partition          integer NOT NULL,
    "offset"           bigint  NOT NULL,
    order_id           text    NOT NULL,
    why                text    NOT NULL CHECK (why IN ('correction', 'cancellation')),
    was_order_date     date,
    was_category       text,
    was_payment_method text,
    was_currency       text,
    was_amount         numeric(38, 6),
    was_units          bigint,
    now_order_date     date,
    now_category       text,
    now_payment_method text,
    now_currency       text,
    now_amount         numeric(38, 6),
    now_units          bigint,
    epoch              bigint  NOT NULL,
    PRIMARY KEY (topic, partition, "offset")
);
CREATE INDEX corrections_epoch ON corrections (epoch);
CREATE INDEX corrections_order_id ON corrections (order_id);

CREATE TABLE rejected (
    topic     text    NOT NULL,
    partition integer NOT NULL,
    "offset"  bigint  NOT NULL,
    key       bytea,
    payload   bytea,
    reason    text    NOT NULL,
    epoch     bigint  NOT NULL,
    PRIMARY KEY (topic, partition, "offset")
);
CREATE INDEX rejected_epoch ON rejected (epoch);

CREATE TABLE sources (
    topic            text    NOT NULL,
    partition        integer NOT NULL,
    "offset"         bigint  NOT NULL,
    newest_timestamp timestamptz,
    read             bigint  NOT NULL,
    applied          bigint  NOT NULL,
    duplicates       bigint  NOT NULL,
    superseded       bigint  NOT NULL,
    corrections      bigint  NOT NULL,
    cancellations    bigint  NOT NULL,
    rejected         bigint  NOT NULL,
    other            bigint  NOT NULL,
    beyond_horizon   bigint  NOT NULL,
    rounded          bigint  NOT NULL,
    epoch            bigint  NOT NULL,
    PRIMARY KEY (topic, partition),
    CONSTRAINT books_balance CHECK (
        read = applied + duplicates + superseded + corrections + cancellations + rejected + other)
) WITH (fillfactor = 50);

-- Only filled with --keep-orders.
CREATE TABLE orders (
    topic            text    NOT NULL,
    order_id         text    NOT NULL,
    product_id       text    NOT NULL,
    product_name     text,
    product_category text    NOT NULL,
    product_price    numeric(38, 6),
    product_quantity bigint  NOT NULL,
    product_brand    text,
    total_amount     numeric(38, 6) NOT NULL,
    currency         text    NOT NULL,
    customer_id      text,
    order_date       timestamp NOT NULL,
    business_day     date    NOT NULL,
    payment_method   text    NOT NULL,
    fingerprint      bigint  NOT NULL,
    partition        integer NOT NULL,
    "offset"         bigint  NOT NULL,
    log_timestamp    bigint  NOT NULL,
    epoch            bigint  NOT NULL,
    PRIMARY KEY (topic, order_id)
);
CREATE INDEX orders_business_day ON orders (business_day);

-- The newest version of an order that was cancelled, so that an older one never revives it.
CREATE TABLE cancelled_orders (
    topic         text    NOT NULL,
    order_id      text    NOT NULL,
    partition     integer NOT NULL,
    "offset"      bigint  NOT NULL,
    log_timestamp bigint  NOT NULL,
    epoch         bigint  NOT NULL,
    PRIMARY KEY (topic, order_id)
);

COMMENT ON TABLE sales_per_category IS 'Totals by business day, category and currency. Exact; currencies are never added.';
COMMENT ON TABLE sales_per_day IS 'Totals by business day and currency.';
COMMENT ON TABLE sales_per_month IS 'Totals by month and currency.';
COMMENT ON TABLE sales_per_payment_method IS 'Totals by business day, payment method and currency.';
COMMENT ON TABLE changed_days IS 'The last epoch that changed any total of a day: narrows "what changed since".';
COMMENT ON TABLE removals IS 'Rows that left a view in an epoch, kept for a day so that feeds can resume.';
COMMENT ON TABLE corrections IS 'Every record that changed or cancelled an order: what it was, what it is now.';
COMMENT ON TABLE rejected IS 'Every record that could not be read, with its bytes and the reason.';
COMMENT ON TABLE sources IS 'How far each partition is committed, and what became of its records.';
COMMENT ON TABLE orders IS 'The newest version of every order, with --keep-orders.';
