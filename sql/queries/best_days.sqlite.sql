-- The three best days of each currency. Amounts of different currencies are never compared, and they are
-- ranked by the integer: text would put 9 before 10.
SELECT currency, place, order_date, total_sales, orders
FROM (
    SELECT *, row_number() OVER (PARTITION BY currency ORDER BY total_sales_micros DESC, order_date) AS place
    FROM sales_per_day
) AS ranked
WHERE place <= 3
ORDER BY currency, place;
