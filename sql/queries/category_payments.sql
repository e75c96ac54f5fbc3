-- How each category's orders of a month were paid: their number and how many units, by currency. It reads sales_facts,
-- which is kept where it is asked for: `takings run --views default,sales_facts`.
SELECT currency, category, payment_method, sum(orders) AS orders, sum(units) AS units
FROM sales_facts
WHERE order_date >= '2026-11-01' AND order_date < '2026-12-01'
GROUP BY currency, category, payment_method
ORDER BY currency, category, orders DESC, payment_method;
