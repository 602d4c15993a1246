-- Rows may be of a kind, and heads of summed groups of a form, that version 1.0.0 takes for damage: by
-- this number it refuses the file as a newer one. Every migration changes the schema
-- (src/journal/sqlite/migrate.c), so the index gets another name.

DROP INDEX groups;
CREATE INDEX made_and_ended ON log (number) WHERE kind = 1 OR kind = 5 OR kind = 6;
