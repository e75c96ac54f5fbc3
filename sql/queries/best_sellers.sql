-- The best sellers of a month, by currency, under the names of their listings. `all` is all time, a day such as
-- 2026-11-22 that day. How many there are of each is the setting `top`.
SELECT best.currency, best.rank, coalesce(listing.name, best.product) AS product, best.total_sales, best.orders
FROM top_products AS best
LEFT JOIN products AS listing ON listing.product = best.product
WHERE best.period = '2026-11'
ORDER BY best.currency, best.rank;
