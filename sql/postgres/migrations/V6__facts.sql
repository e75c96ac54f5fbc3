-- Totals by category and payment method together, for who asks for them: the view `sales_facts`. Where it is switched
-- off, as it is unless it is named, both tables are empty.

CREATE TABLE sales_facts (
    order_date     date   NOT NULL,
    category       text   NOT NULL,
    payment_method text   NOT NULL,
    currency       text   NOT NULL,
    total_sales    numeric(38, 6) NOT NULL,
    orders         bigint NOT NULL,
    units          bigint NOT NULL,
    epoch          bigint NOT NULL,
    PRIMARY KEY (order_date, category, payment_method, currency)
) WITH (fillfactor = 50);

-- The sales that name no category and follow the catalogue, by product and payment method. A listing moves them
-- between rows of sales_facts, and nothing else could tell the job which they are. For the job: no view has it.
CREATE TABLE listed_facts (
    order_date     date   NOT NULL,
    product        text   NOT NULL,
    payment_method text   NOT NULL,
    currency       text   NOT NULL,
    total_sales    numeric(38, 6) NOT NULL,
    orders         bigint NOT NULL,
    units          bigint NOT NULL,
    epoch          bigint NOT NULL,
    PRIMARY KEY (order_date, product, payment_method, currency)
) WITH (fillfactor = 50);

COMMENT ON TABLE sales_facts IS 'Totals by business day, category, payment method and currency; empty unless it is asked for.';
COMMENT ON TABLE listed_facts IS 'Internal: of sales_facts, what follows the catalogue, by product.';
