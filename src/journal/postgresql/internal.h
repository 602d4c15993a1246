/* What the files of journal/postgresql share. */
#ifndef JOURNAL_POSTGRESQL_INTERNAL_H
#define JOURNAL_POSTGRESQL_INTERNAL_H

#include "journal/postgresql/postgresql.h"
#include "journal/postgresql/row.h"
#include "journal/postgresql/session.h"

/* What the log may hold (head.format). */
enum { LOG_FORMAT = 1 };

/* The newest row that the store has. */
struct seen {
	uint64_t number; /* 0: the log is empty */
	struct row_writer writer;
};

struct head {
	struct seen last; /* the newest row of the log */
	double at, now;   /* Unix seconds: of the newest transaction, and by the server's clock */
	uint64_t bytes;   /* of all rows: row_bytes_of() */
};

struct postgresql {
	struct storage base; /* first */
	struct session_settings settings;
	char *url, *schema;
	struct session session;
	struct row_writer writer; /* this process, and its newest batch */
	struct seen seen;
	bool changed; /* the log is not what the store was made of and has written */
	int holder; /* the server's process that had the lock of the schema for us last; 0: none */
	bool reading; /* between two readings of one state of the log */
	struct row_params params;
};

static inline struct postgresql *postgresql_of(struct storage *st)
{
	return (struct postgresql *)st;
}

int64_t postgresql_deadline(const struct postgresql *p);
/* Connects, if it has to, and prepares the statements. */
int postgresql_connect(struct postgresql *p, struct err *err);
/* Whatever transaction there is ends without effect. */
void postgresql_roll_back(struct postgresql *p);

/* In batch.c. */
enum storage_commit_result postgresql_commit(struct storage *st, const struct rows *rows,
					     struct err *err);
int postgresql_probe(struct storage *st, struct err *err);

/* In reading.c. */
enum storage_load_result postgresql_read(struct storage *st, enum storage_which which,
					 uint64_t below, storage_row_fn fn, void *arg,
					 struct err *err);
int postgresql_oldest(struct storage *st, uint64_t bytes, const struct storage_cleaner *cleaner,
		      struct err *err);

#endif
