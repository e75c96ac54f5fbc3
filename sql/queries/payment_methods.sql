-- How orders were paid, over all days: their number and how many units, by currency.
SELECT currency, payment_method, sum(orders) AS orders, sum(units) AS units
FROM sales_per_payment_method
GROUP BY currency, payment_method
ORDER BY currency, orders DESC, payment_method;
