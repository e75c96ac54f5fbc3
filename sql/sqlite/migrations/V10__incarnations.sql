-- Of which of a partition's logs an offset is, where its offsets came twice, as in PostgreSQL: see there.

ALTER TABLE sources ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 0;
-- Null where its log never began anew.
ALTER TABLE sources ADD COLUMN lost_until TEXT;
ALTER TABLE orders ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cancelled_orders ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE listings ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feedback ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 0;
