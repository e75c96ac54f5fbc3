-- Products, best sellers, ratings, volume; which views are kept, and from when on each is complete.

ALTER TABLE job
    -- How many best sellers each period has.
    ADD COLUMN top     integer,
    -- How each topic's records are read: an object from topic to description. Other rules would make totals
    -- of two meanings, so a run with other ones is refused.
    ADD COLUMN formats jsonb;

-- One row a view that is kept. No row: it is switched off, and its table is empty.
CREATE TABLE views (
    view          text   NOT NULL PRIMARY KEY,
    -- The view counts every record that the log has held since this day (the shop's); null: every record
    -- that was ever in the log.
    complete_from date,
    -- The epoch in which it was switched on and filled from the log.
    since_epoch   bigint NOT NULL
);

-- A store of an earlier schema has kept its views from its first epoch on. But not its categories, where an order
-- named none: whose product that was is not known, and so they are filled from the log again.
INSERT INTO views (view, since_epoch)
SELECT v, 0 FROM job, unnest(job.views) v
WHERE v != 'sales_per_category' OR NOT EXISTS (SELECT FROM sales_per_category WHERE category = 'unlisted');

CREATE TABLE sales_per_product (
    order_date    date   NOT NULL,
    product       text   NOT NULL,
    currency      text   NOT NULL,
    total_sales   numeric(38, 6) NOT NULL,
    orders        bigint NOT NULL,
    units         bigint NOT NULL,
    -- Of these, the sales that name no category and follow the catalogue; null where there are none. A listing
    -- moves them, and nothing else could tell the job which they are.
    listed_sales  numeric(38, 6),
    listed_orders bigint,
    listed_units  bigint,
    epoch         bigint NOT NULL,
    PRIMARY KEY (order_date, product, currency)
) WITH (fillfactor = 50);
CREATE INDEX sales_per_product_product ON sales_per_product (product, order_date);

CREATE TABLE top_products (
    period      text    NOT NULL,
    currency    text    NOT NULL,
    rank        integer NOT NULL,
    product     text    NOT NULL,
    total_sales numeric(38, 6) NOT NULL,
    orders      bigint  NOT NULL,
    units       bigint  NOT NULL,
    epoch       bigint  NOT NULL,
    PRIMARY KEY (period, currency, rank)
) WITH (fillfactor = 50);

CREATE TABLE products (
    product  text   NOT NULL PRIMARY KEY,
    name     text,
    category text,
    price    numeric(38, 6),
    epoch    bigint NOT NULL
) WITH (fillfactor = 70);
-- Listings and ratings are few beside orders, and what they changed is looked for among all products by the event
-- feed: of 100,000 in 10 to 14 ms each time without an index, in microseconds with one. So here, other than in
-- V1, an index holds the epoch.
CREATE INDEX products_epoch ON products (epoch);

-- The newest version of each listing, the withdrawn ones too, so that an older one never revives it.
CREATE TABLE listings (
    product       text    NOT NULL PRIMARY KEY,
    topic         text    NOT NULL,
    partition     integer NOT NULL,
    "offset"      bigint  NOT NULL,
    log_timestamp bigint  NOT NULL,
    withdrawn     boolean NOT NULL,
    epoch         bigint  NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE ratings_per_product (
    product text   NOT NULL PRIMARY KEY,
    ratings bigint NOT NULL,
    average numeric(7, 6) NOT NULL,
    ones    bigint NOT NULL,
    twos    bigint NOT NULL,
    threes  bigint NOT NULL,
    fours   bigint NOT NULL,
    fives   bigint NOT NULL,
    epoch   bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX ratings_per_product_epoch ON ratings_per_product (epoch);

-- The newest version of each feedback; without product and rating where it was withdrawn.
CREATE TABLE feedback (
    topic         text    NOT NULL,
    feedback_id   text    NOT NULL,
    product       text,
    rating        integer CHECK (rating BETWEEN 1 AND 5),
    fingerprint   bigint,
    partition     integer NOT NULL,
    "offset"      bigint  NOT NULL,
    log_timestamp bigint  NOT NULL,
    epoch         bigint  NOT NULL,
    PRIMARY KEY (topic, feedback_id)
);

CREATE TABLE orders_per_minute (
    minute      timestamptz NOT NULL,
    currency    text   NOT NULL,
    total_sales numeric(38, 6) NOT NULL,
    orders      bigint NOT NULL,
    units       bigint NOT NULL,
    epoch       bigint NOT NULL,
    PRIMARY KEY (minute, currency)
) WITH (fillfactor = 50);

ALTER TABLE corrections
    ADD COLUMN was_product text,
    ADD COLUMN now_product text;

ALTER TABLE orders
    -- What the order is counted under; null in rows of an earlier schema: the name, or else the id.
    ADD COLUMN product             text,
    -- The log's timestamp of the order's first record; null in rows of an earlier schema: the newest one's.
    ADD COLUMN first_log_timestamp bigint,
    ALTER COLUMN product_category DROP NOT NULL;
ALTER TABLE cancelled_orders ADD COLUMN first_log_timestamp bigint;

COMMENT ON TABLE views IS 'The views that are kept, and from when on each is complete.';
COMMENT ON TABLE sales_per_product IS 'Totals by business day, product and currency.';
COMMENT ON TABLE top_products IS 'Best sellers by total sales, of all time, of each month and of each day, by currency; ties by product name.';
COMMENT ON TABLE products IS 'The catalogue: the newest listing of each product.';
COMMENT ON TABLE ratings_per_product IS 'Number and average of ratings by product, and how many of each number of stars.';
COMMENT ON TABLE orders_per_minute IS 'Orders by the minute of the log in which they first came; old minutes go.';
COMMENT ON COLUMN orders.product_category IS 'Null where the order names none and follows the catalogue.';
