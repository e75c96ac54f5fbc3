-- Views in a schema of their own that give the shape the Flink version of this job wrote, so that its readers'
-- queries run unchanged:
--
--     psql -d takings -f sql/compat/flink.sql
--     ALTER ROLE reader SET search_path = compat;
--
-- That job added every currency into one total. These views hold the orders and totals of one currency, the one
-- that compat.currency() names; all of them follow it. To choose another, run this with its code:
--
--     CREATE OR REPLACE FUNCTION compat.currency() RETURNS text LANGUAGE sql IMMUTABLE RETURN 'EUR';
--
-- `transactions` needs a job with --keep-orders. Amounts are exact (numeric), where they were floating-point.

CREATE SCHEMA IF NOT EXISTS compat;

DO $$
BEGIN
    -- A choice that was made before stays.
    IF to_regprocedure('compat.currency()') IS NULL THEN
        CREATE FUNCTION compat.currency() RETURNS text LANGUAGE sql IMMUTABLE RETURN 'USD';
    END IF;
END
$$;

CREATE OR REPLACE VIEW compat.transactions AS
SELECT order_id, product_id, product_name, product_category, product_price, product_quantity, product_brand,
       total_amount, currency, customer_id, order_date, payment_method
FROM public.orders
WHERE currency = compat.currency();

CREATE OR REPLACE VIEW compat.sales_per_category AS
SELECT order_date, category, total_sales
FROM public.sales_per_category
WHERE currency = compat.currency();

CREATE OR REPLACE VIEW compat.sales_per_day AS
SELECT order_date, total_sales
FROM public.sales_per_day
WHERE currency = compat.currency();

CREATE OR REPLACE VIEW compat.sales_per_month AS
SELECT year, month, total_sales
FROM public.sales_per_month
WHERE currency = compat.currency();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'takings_reader') THEN
        GRANT USAGE ON SCHEMA compat TO takings_reader;
        GRANT SELECT ON ALL TABLES IN SCHEMA compat TO takings_reader;
    END IF;
END
$$;
