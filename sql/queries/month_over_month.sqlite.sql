-- Each month beside the one before it: the difference, and the growth in percent. Differences are of the
-- integer, in millionths; a percentage may be a float, money never.
SELECT currency,
       year,
       month,
       total_sales,
       CASE WHEN change IS NOT NULL THEN
           printf('%s%d.%06d', CASE WHEN change < 0 THEN '-' ELSE '' END, abs(change) / 1000000, abs(change) % 1000000)
       END AS difference,
       CASE WHEN change IS NOT NULL AND change <> total_sales_micros THEN
           printf('%.1f', 100.0 * change / (total_sales_micros - change))
       END AS percent
FROM (
    SELECT *,
           total_sales_micros - lag(total_sales_micros) OVER (PARTITION BY currency ORDER BY year, month) AS change
    FROM sales_per_month
) AS months
ORDER BY currency, year, month;
