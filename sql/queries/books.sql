-- What became of every record, by topic. The last column is always 0: each record has one outcome.
SELECT topic,
       sum(read) AS read,
       sum(applied) AS applied,
       sum(duplicates) AS duplicates,
       sum(superseded) AS superseded,
       sum(corrections) AS corrections,
       sum(cancellations) AS cancellations,
       sum(rejected) AS rejected,
       sum(other) AS other,
       sum(read - applied - duplicates - superseded - corrections - cancellations - rejected - other) AS unexplained
FROM sources
GROUP BY topic
ORDER BY topic;
