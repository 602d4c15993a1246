-- The log (src/store/rows.h), as in SQLite, and who has written which row.

CREATE TABLE log (
	number   bigint PRIMARY KEY,        -- one after the other, without a gap
	kind     integer NOT NULL,
	group_id bigint NOT NULL,           -- the number of the row that made the group; 0: all groups
	moved    bigint NOT NULL,           -- the number that it had at first; 0: it has not been moved
	at       double precision NOT NULL, -- Unix seconds; 0: of no push
	checksum bigint NOT NULL,           -- row_checksum() of all of the above, and the body
	writer   bigint NOT NULL,           -- a process, random at each start
	batch    bigint NOT NULL,           -- counts its transactions
	written  double precision NOT NULL, -- Unix seconds: when that transaction had the lock
	body     bytea NOT NULL
);
-- A row of more than 2 KB is compressed by lz4, which writes a quarter as much, or less, in half of the time. Servers of version 13, or
-- built without it, have only a method that takes twice as long as to write all.
DO $$
BEGIN
	EXECUTE 'ALTER TABLE log ALTER COLUMN body SET COMPRESSION lz4';
EXCEPTION WHEN feature_not_supported OR syntax_error THEN
	EXECUTE 'ALTER TABLE log ALTER COLUMN body SET STORAGE EXTERNAL';
END $$;
ALTER TABLE log SET (
	autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
	autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 1000000,
	autovacuum_vacuum_cost_delay = 0,
	toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 50000,
	toast.autovacuum_vacuum_cost_delay = 0);

-- Which groups there are has to be known before their records are read.
CREATE INDEX groups ON log (number) WHERE kind = 1 OR kind = 5 OR kind = 6;

-- One row. Who writes to the log has a lock on it.
CREATE TABLE head (
	one      boolean PRIMARY KEY DEFAULT true CHECK (one),
	format   integer NOT NULL,          -- what the log may hold; a gateway that knows less does not read it
	seq      bigint NOT NULL,           -- the number of the newest row
	writer   bigint NOT NULL,           -- the same of that row as in the log
	batch    bigint NOT NULL,
	at       double precision NOT NULL, -- Unix seconds: of the newest transaction; never falls
	bytes    bigint NOT NULL            -- of all rows, as gateways count them
) WITH (fillfactor = 10);
INSERT INTO head (format, seq, writer, batch, at, bytes) VALUES (1, 0, 0, 0, 0, 0);

CREATE TABLE migrations (
	version integer PRIMARY KEY,
	at      timestamptz NOT NULL DEFAULT now()
);
