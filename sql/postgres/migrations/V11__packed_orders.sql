-- What a start reads of each kept order, in one value instead of fifteen. Null in rows of an earlier schema, and in those
-- of which a column changed since: such rows are read by their columns. Its bytes are of no use to anybody else.

ALTER TABLE orders ADD COLUMN packed bytea;

COMMENT ON COLUMN orders.packed IS 'What a start reads of the row, in one value; null: it reads the other columns. Whoever changes a row by hand sets it to null.';
