-- Each month beside the one before it: the difference, and the growth in percent.
SELECT currency,
       year,
       month,
       total_sales,
       total_sales - before AS difference,
       round(100 * (total_sales - before) / nullif(before, 0), 1) AS percent
FROM (
    SELECT *, lag(total_sales) OVER (PARTITION BY currency ORDER BY year, month) AS before
    FROM sales_per_month
) AS months
ORDER BY currency, year, month;
