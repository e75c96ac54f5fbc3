-- How the best sellers of all time are rated: how many of them are, by how many ratings, and the average of
-- these ratings. An average of averages would count a product rated once as much as one rated a thousand times.
-- An average may be a float, money never.
SELECT currency,
       best_sellers,
       rated,
       coalesce(ratings, 0) AS ratings,
       CASE WHEN ratings > 0 THEN printf('%.2f', 1.0 * stars / ratings) END AS average
FROM (
    SELECT best.currency,
           count(*) AS best_sellers,
           count(rated.product) AS rated,
           sum(rated.ratings) AS ratings,
           sum(ones + 2 * twos + 3 * threes + 4 * fours + 5 * fives) AS stars
    FROM top_products AS best
    LEFT JOIN ratings_per_product AS rated ON rated.product = best.product
    WHERE best.period = 'all'
    GROUP BY best.currency
) AS sums
ORDER BY currency;
