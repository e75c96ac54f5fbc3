-- The share of each category in a month's sales, in percent, by currency. Orders without a category are
-- under 'unlisted'. Sums are of the integer, in millionths; a percentage may be a float, money never.
SELECT currency,
       category,
       printf('%s%d.%06d', CASE WHEN micros < 0 THEN '-' ELSE '' END, abs(micros) / 1000000, abs(micros) % 1000000)
           AS total_sales,
       printf('%.2f', 100.0 * micros / nullif(sum(micros) OVER (PARTITION BY currency), 0)) AS percent
FROM (
    SELECT currency, category, sum(total_sales_micros) AS micros
    FROM sales_per_category
    WHERE order_date >= '2026-11-01' AND order_date < '2026-12-01'
    GROUP BY currency, category
) AS sums
ORDER BY currency, micros DESC, category;
