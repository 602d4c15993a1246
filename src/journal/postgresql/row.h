/* Rows of the log as PostgreSQL has them, in its binary format (private to journal/postgresql). */
#ifndef JOURNAL_POSTGRESQL_ROW_H
#define JOURNAL_POSTGRESQL_ROW_H

#include <libpq-fe.h>

#include "store/rows.h"

/* The process and the transaction that have written a row. */
struct row_writer {
	uint64_t process, batch;
};

#define ROW_COLUMNS "number, kind, group_id, moved, at, checksum, writer, batch, "
#define ROW_SELECT "SELECT " ROW_COLUMNS "body FROM log "
/* Rows from number $1 (bigint) on, without the body of that row itself, which the store has. */
#define ROW_NEWS_OF "SELECT " ROW_COLUMNS "CASE WHEN number > $1 THEN body ELSE '' END FROM log "
#define ROW_NEWS ROW_NEWS_OF "WHERE number >= $1 ORDER BY number"
/*
 * The same, but no rows if more than $2 follow, or more than $3 bytes of bodies; a byte of a row of
 * many groups (ROW_END, ROW_TAKE) counts as 16, since it takes as long.
 */
#define ROW_FEW_NEWS                                                                         \
	ROW_NEWS_OF "WHERE number >= $1 AND (SELECT count(*) <= $2::bigint AND "             \
		    "coalesce(sum(n), 0) <= $3::bigint FROM (SELECT length(body)::bigint * " \
		    "CASE WHEN kind IN (5, 20) THEN 16 ELSE 1 END AS n FROM log WHERE "      \
		    "number > $1 ORDER BY number LIMIT $2::bigint + 1) missing) ORDER BY number"

/*
 * Reads a row of a binary result of these statements; the body is borrowed from the result. False:
 * it has other columns.
 */
bool result_row(const PGresult *r, int at, struct row *ret, struct row_writer *ret_writer);
/* The same for a result with the length of the body in its place. */
bool result_head(const PGresult *r, int at, struct row *ret);

uint64_t result_u64(const PGresult *r, int at, int column);

/* ROW_INSERT takes seven arrays, one for each column, then writer, batch and written. */
enum { ROW_ARRAYS = 7, ROW_PARAMS = ROW_ARRAYS + 3 };
#define ROW_INSERT                                                                            \
	"INSERT INTO log (number, kind, group_id, moved, at, checksum, body, writer, batch, " \
	"written) SELECT *, $8::bigint, $9::bigint, $10::double precision FROM "              \
	"unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[], "                    \
	"$5::double precision[], $6::bigint[], $7::bytea[])"

struct row_params {
	struct strbuf bytes; /* of all of them */
	const char *values[ROW_PARAMS];
	int lengths[ROW_PARAMS];
	int formats[ROW_PARAMS];
};

void row_params_done(struct row_params *p);
/* Makes the parameters of n rows, in place of earlier ones. */
void row_params_make(struct row_params *p, const struct row *list, size_t n,
		     const struct row_writer *writer, double written);
/* How many of the first rows fit in one statement: at least one. */
size_t row_params_fit(const struct row *list, size_t n);

/* A number in the binary format, 8 bytes. */
void row_put_u64(char to[8], uint64_t v);

#endif
