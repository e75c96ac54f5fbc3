-- Closed days that are not proven, the oldest first, and why. `changed`: something of it changed since it was proven;
-- `differs`: rows that are not what the log says; `not_provable`: the log no longer holds all of it. The newest day is
-- still open, and not among them.
SELECT CAST(order_date AS text) AS order_date, state, differences, reason
FROM day_proofs
WHERE state <> 'proven'
ORDER BY order_date;
