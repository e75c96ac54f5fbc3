-- The share of each category in a month's sales, in percent, by currency. Orders without a category are
-- under 'unlisted'.
SELECT currency,
       category,
       sum(total_sales) AS total_sales,
       round(100 * sum(total_sales) / nullif(sum(sum(total_sales)) OVER (PARTITION BY currency), 0), 2) AS percent
FROM sales_per_category
WHERE order_date >= DATE '2026-11-01' AND order_date < DATE '2026-12-01'
GROUP BY currency, category
ORDER BY currency, percent DESC, category;
