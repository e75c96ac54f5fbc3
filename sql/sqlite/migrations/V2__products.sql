-- Products, best sellers, ratings, volume; which views are kept, and from when on each is complete. As in
-- PostgreSQL: see there.

-- How many best sellers each period has.
ALTER TABLE job ADD COLUMN top INTEGER;
-- How each topic's records are read: a JSON object from topic to description.
ALTER TABLE job ADD COLUMN formats TEXT;

CREATE TABLE views (
    view          TEXT    NOT NULL PRIMARY KEY,
    complete_from TEXT,
    since_epoch   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO views (view, since_epoch)
SELECT v.value, 0 FROM job, json_each(job.views) v
WHERE v.value != 'sales_per_category' OR NOT EXISTS (SELECT 1 FROM sales_per_category WHERE category = 'unlisted');

CREATE TABLE sales_per_product (
    order_date         TEXT    NOT NULL,
    product            TEXT    NOT NULL,
    currency           TEXT    NOT NULL,
    total_sales        TEXT    NOT NULL,
    total_sales_micros INTEGER,
    orders             INTEGER NOT NULL,
    units              INTEGER NOT NULL,
    listed_sales       TEXT,
    listed_orders      INTEGER,
    listed_units       INTEGER,
    epoch              INTEGER NOT NULL,
    PRIMARY KEY (order_date, product, currency)
) STRICT, WITHOUT ROWID;
CREATE INDEX sales_per_product_product ON sales_per_product (product, order_date);

CREATE TABLE top_products (
    period             TEXT    NOT NULL,
    currency           TEXT    NOT NULL,
    rank               INTEGER NOT NULL,
    product            TEXT    NOT NULL,
    total_sales        TEXT    NOT NULL,
    total_sales_micros INTEGER,
    orders             INTEGER NOT NULL,
    units              INTEGER NOT NULL,
    epoch              INTEGER NOT NULL,
    PRIMARY KEY (period, currency, rank)
) STRICT, WITHOUT ROWID;

CREATE TABLE products (
    product  TEXT    NOT NULL PRIMARY KEY,
    name     TEXT,
    category TEXT,
    price    TEXT,
    epoch    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- See PostgreSQL's for why here an index holds the epoch.
CREATE INDEX products_epoch ON products (epoch);

CREATE TABLE listings (
    product       TEXT    NOT NULL PRIMARY KEY,
    topic         TEXT    NOT NULL,
    partition     INTEGER NOT NULL,
    "offset"      INTEGER NOT NULL,
    log_timestamp INTEGER NOT NULL,
    withdrawn     INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    epoch         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ratings_per_product (
    product TEXT    NOT NULL PRIMARY KEY,
    ratings INTEGER NOT NULL,
    average TEXT    NOT NULL,
    ones    INTEGER NOT NULL,
    twos    INTEGER NOT NULL,
    threes  INTEGER NOT NULL,
    fours   INTEGER NOT NULL,
    fives   INTEGER NOT NULL,
    epoch   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ratings_per_product_epoch ON ratings_per_product (epoch);

CREATE TABLE feedback (
    topic         TEXT    NOT NULL,
    feedback_id   TEXT    NOT NULL,
    product       TEXT,
    rating        INTEGER CHECK (rating BETWEEN 1 AND 5),
    fingerprint   INTEGER,
    partition     INTEGER NOT NULL,
    "offset"      INTEGER NOT NULL,
    log_timestamp INTEGER NOT NULL,
    epoch         INTEGER NOT NULL,
    PRIMARY KEY (topic, feedback_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE orders_per_minute (
    minute             TEXT    NOT NULL,
    currency           TEXT    NOT NULL,
    total_sales        TEXT    NOT NULL,
    total_sales_micros INTEGER,
    orders             INTEGER NOT NULL,
    units              INTEGER NOT NULL,
    epoch              INTEGER NOT NULL,
    PRIMARY KEY (minute, currency)
) STRICT, WITHOUT ROWID;

ALTER TABLE corrections ADD COLUMN was_product TEXT;
ALTER TABLE corrections ADD COLUMN now_product TEXT;

-- SQLite can not drop NOT NULL from a column: the table is made anew.
CREATE TABLE orders_2 (
    topic               TEXT    NOT NULL,
    order_id            TEXT    NOT NULL,
    product             TEXT,
    product_id          TEXT    NOT NULL,
    product_name        TEXT,
    product_category    TEXT,
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
    first_log_timestamp INTEGER,
    epoch               INTEGER NOT NULL,
    PRIMARY KEY (topic, order_id)
) STRICT, WITHOUT ROWID;
INSERT INTO orders_2 (topic, order_id, product_id, product_name, product_category, product_price, product_quantity,
    product_brand, total_amount, total_amount_micros, currency, customer_id, order_date, business_day, payment_method,
    fingerprint, partition, "offset", log_timestamp, epoch)
SELECT topic, order_id, product_id, product_name, product_category, product_price, product_quantity,
    product_brand, total_amount, total_amount_micros, currency, customer_id, order_date, business_day, payment_method,
    fingerprint, partition, "offset", log_timestamp, epoch FROM orders;
DROP TABLE orders;
ALTER TABLE orders_2 RENAME TO orders;
CREATE INDEX orders_business_day ON orders (business_day);
ALTER TABLE cancelled_orders ADD COLUMN first_log_timestamp INTEGER;
