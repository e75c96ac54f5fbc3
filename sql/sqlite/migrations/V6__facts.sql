-- Totals by category and payment method together, for who asks for them: the view `sales_facts`. As in PostgreSQL: see
-- there.

CREATE TABLE sales_facts (
    order_date         TEXT    NOT NULL,
    category           TEXT    NOT NULL,
    payment_method     TEXT    NOT NULL,
    currency           TEXT    NOT NULL,
    total_sales        TEXT    NOT NULL,
    total_sales_micros INTEGER,
    orders             INTEGER NOT NULL,
    units              INTEGER NOT NULL,
    epoch              INTEGER NOT NULL,
    PRIMARY KEY (order_date, category, payment_method, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE listed_facts (
    order_date         TEXT    NOT NULL,
    product            TEXT    NOT NULL,
    payment_method     TEXT    NOT NULL,
    currency           TEXT    NOT NULL,
    total_sales        TEXT    NOT NULL,
    total_sales_micros INTEGER,
    orders             INTEGER NOT NULL,
    units              INTEGER NOT NULL,
    epoch              INTEGER NOT NULL,
    PRIMARY KEY (order_date, product, payment_method, currency)
) STRICT, WITHOUT ROWID;
