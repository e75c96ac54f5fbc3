-- Why records were rejected, the most frequent reason first, with one place to look at for each.
SELECT topic, reason, count(*) AS records, min(partition) AS partition, min("offset") AS first_offset
FROM rejected
GROUP BY topic, reason
ORDER BY records DESC, topic, reason;
