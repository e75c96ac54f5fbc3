-- What a start reads of each kept order, in one value, as in PostgreSQL: see there.

ALTER TABLE orders ADD COLUMN packed BLOB;
