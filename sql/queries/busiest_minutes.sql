-- The three busiest minutes of the last day, by currency. Minutes and "last" are by the log's own time; the table
-- holds 48 hours.
SELECT currency, place, to_char(minute AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS minute, orders, total_sales
FROM (
    SELECT *, row_number() OVER (PARTITION BY currency ORDER BY orders DESC, minute) AS place
    FROM orders_per_minute
    WHERE minute > (SELECT max(minute) FROM orders_per_minute) - INTERVAL '24 hours'
) AS ranked
WHERE place <= 3
ORDER BY currency, place;
