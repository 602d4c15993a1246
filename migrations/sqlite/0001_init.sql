-- One row for a group, one for each push that still has something to say in it.
-- Times are Unix seconds, 0: never.

CREATE TABLE metric_groups (
	id        INTEGER PRIMARY KEY,
	key       BLOB NOT NULL, -- name 0xFF value 0xFF, labels sorted by name
	pushed_at REAL NOT NULL, -- a segment with a later time wins
	failed_at REAL NOT NULL
);

CREATE TABLE segments (
	id        INTEGER PRIMARY KEY,
	group_id  INTEGER NOT NULL, -- metric_groups.id
	seq       INTEGER NOT NULL, -- of two segments that name one family the later wins
	pushed_at REAL NOT NULL,
	body      BLOB NOT NULL     -- delimited io.prometheus.client.MetricFamily messages
);
