-- What the log may hold has a number, the epoch: how many of these files it has seen. Gateways read
-- it with each lock, so that none of a version that does not know it writes or reads any more.

ALTER TABLE head ADD COLUMN epoch integer NOT NULL DEFAULT 1;

-- Unix seconds: some gateway ran then. They have the row of head to themselves for a moment to write
-- it, and no row of the log is needed.
ALTER TABLE head ADD COLUMN alive_at double precision NOT NULL DEFAULT 0;

-- So many transactions of a writer: then one says the digest of the state before it, by which others
-- see whether theirs is the same.
ALTER TABLE head ADD COLUMN digest_every integer NOT NULL DEFAULT 1000;

-- The row before the first one that the log still has: candidates for cleaning are read before the
-- lock, and under it is seen here whether somebody else has dropped them.
ALTER TABLE head ADD COLUMN trimmed bigint NOT NULL DEFAULT 0;
UPDATE head SET trimmed = (SELECT coalesce(min(number), 1) - 1 FROM log);

-- The first version has asked this column, and stops at any other number than 1.
UPDATE head SET format = 2;
