-- The three busiest minutes of the last day, by currency. Minutes and "last" are by the log's own time; the table
-- holds 48 hours. Minutes are text in UTC, whose order is that of time.
SELECT currency, place, strftime('%Y-%m-%d %H:%M', minute) AS minute, orders, total_sales
FROM (
    SELECT *, row_number() OVER (PARTITION BY currency ORDER BY orders DESC, minute) AS place
    FROM orders_per_minute
    WHERE minute > (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', max(minute), '-24 hours') FROM orders_per_minute)
) AS ranked
WHERE place <= 3
ORDER BY currency, place;
