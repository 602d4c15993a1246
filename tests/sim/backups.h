/*
 * Backups of the running gateway: the copy, opened as a database, shows what was right at some time
 * between its being asked for and its being there.
 */
#ifndef TESTS_SIM_BACKUPS_H
#define TESTS_SIM_BACKUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct world;

struct sim_backup {
	int fd;               /* of the connection on which it is awaited; 0: it is not */
	uint64_t from, until; /* in the order of decisions */
	bool left;            /* the client of an earlier one has gone before it was there */
	struct strbuf copy;   /* empty: there is none */
	uint64_t failed;      /* faults of the disk, when it was asked for */
};

void backups_send(struct world *w, unsigned client);
/* A reply has come on the connection. */
void backups_note_reply(struct world *w, int fd, int status, struct str content);
/* Its reply on that connection has ended before its end, since the disk could not be read. */
bool backups_was_cut(struct world *w, int fd);
/* Its client has gone. */
void backups_leave(struct world *w);
/* Whoever was to make it is gone. */
void backups_forget(struct world *w);
/* All is answered. False: world_fails(). */
bool backups_check(struct world *w);

#endif
