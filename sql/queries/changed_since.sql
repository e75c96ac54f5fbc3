-- Every total per category that changed after an epoch, and every one that went. Remember the newest
-- epoch you have seen (`SELECT epoch FROM job`, asked first), and ask again with it: `psql -v epoch=41 -f …`,
-- or `.parameter set :epoch 41` in sqlite3. Apply what went first: a key may be back.
--
-- changed_days holds the last epoch of each day, so only the days that changed are read. Rows that went
-- are kept for a day; a reader that was away for longer reads the table whole.
SELECT t.epoch, 'changed' AS what, CAST(t.order_date AS text) AS order_date, t.category, t.currency,
       CAST(t.total_sales AS text) AS total_sales, t.orders
FROM changed_days AS d
JOIN sales_per_category AS t ON t.order_date = d.order_date
WHERE d.epoch > :epoch AND t.epoch > :epoch
UNION ALL
SELECT r.epoch, 'went', r.key ->> 'order_date', r.key ->> 'category', r.key ->> 'currency', NULL, NULL
FROM removals AS r
WHERE r.epoch > :epoch AND r.view = 'sales_per_category'
ORDER BY 1, 2 DESC, 3, 4, 5;
