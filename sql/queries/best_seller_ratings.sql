-- How the best sellers of all time are rated: how many of them are, by how many ratings, and the average of
-- these ratings. An average of averages would count a product rated once as much as one rated a thousand times.
SELECT best.currency,
       count(*) AS best_sellers,
       count(rated.product) AS rated,
       coalesce(sum(rated.ratings), 0) AS ratings,
       round(sum(ones + 2 * twos + 3 * threes + 4 * fours + 5 * fives) / sum(rated.ratings), 2) AS average
FROM top_products AS best
LEFT JOIN ratings_per_product AS rated ON rated.product = best.product
WHERE best.period = 'all'
GROUP BY best.currency
ORDER BY best.currency;
