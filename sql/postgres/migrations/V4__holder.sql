-- Who holds the store, or held it last: process, host, since when, and a number drawn by lot. Each commit is guarded
-- by it beside the generation: a store that went back (a failover to a server that lagged) may give the same
-- generation twice.
ALTER TABLE job ADD COLUMN holder text;
