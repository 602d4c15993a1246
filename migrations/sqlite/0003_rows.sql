-- Every change is a row (src/store/rows.h), and no other table is needed. What the two tables of
-- before hold is written into it by upgrade_to_rows(), in the same transaction, and they are dropped.

CREATE TABLE log (
	number   INTEGER PRIMARY KEY, -- one after the other, without a gap
	kind     INTEGER NOT NULL,
	group_id INTEGER NOT NULL,    -- the number of the row that made the group; 0: all groups
	moved    INTEGER NOT NULL,    -- the number that it had at first; 0: it has not been moved
	at       REAL NOT NULL,       -- Unix seconds; 0: of no push
	checksum INTEGER NOT NULL,    -- row_checksum() of all the others
	body     BLOB NOT NULL
);

-- Which groups there are has to be known before their records are read. (IN would have SQLite build
-- a table of the three numbers for each row that is inserted.)
CREATE INDEX groups ON log (number) WHERE kind = 1 OR kind = 5 OR kind = 6;
