-- The three best days of each currency. Amounts of different currencies are never compared.
SELECT currency, place, order_date, total_sales, orders
FROM (
    SELECT *, row_number() OVER (PARTITION BY currency ORDER BY total_sales DESC, order_date) AS place
    FROM sales_per_day
) AS ranked
WHERE place <= 3
ORDER BY currency, place;
