-- Segments become a log: they are only ever appended, and the oldest taken away when most of the
-- log is superseded. A push then touches the end of one tree, not a page somewhere in it.

CREATE TABLE log (
	id        INTEGER PRIMARY KEY, -- of two segments that name one family the later wins
	group_id  INTEGER NOT NULL,    -- metric_groups.id
	pushed_at REAL NOT NULL,
	whole     INTEGER NOT NULL,    -- 1: the group holds nothing of its segments before this one
	body      BLOB NOT NULL        -- delimited io.prometheus.client.MetricFamily messages
);

INSERT INTO log SELECT row_number() OVER (ORDER BY seq, id), group_id, pushed_at, 0, body FROM segments;
DROP TABLE segments;
ALTER TABLE log RENAME TO segments;
