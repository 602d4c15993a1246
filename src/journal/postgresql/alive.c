/* Notes until when any gateway ran, so that deadlines do not run out while all of them are down. */
#include <stdio.h>

#include "journal/postgresql/internal.h"

/* Each gateway beats every ten seconds; of several, the first one writes it. */
enum { BEAT_SECONDS = 9 };

const char *postgresql_alive_column(const struct postgresql *p)
{
	return p->epoch < 2 ? "at" : "alive_at";
}

double postgresql_alive(struct storage *st)
{
	return postgresql_of(st)->alive_at;
}

int postgresql_beat(struct storage *st, struct err *err)
{
	struct postgresql *p = postgresql_of(st);
	char sql[200];

	if (p->epoch < 2)
		return 1;
	snprintf(sql, sizeof(sql),
		 "UPDATE head SET alive_at = extract(epoch FROM clock_timestamp()) "
		 "WHERE alive_at < extract(epoch FROM clock_timestamp()) - %d",
		 BEAT_SECONDS);
	postgresql_roll_back(p);
	if (postgresql_connect(p, err) < 0)
		return -1;
	return session_run(&p->session, sql, NULL, 0, postgresql_deadline(p), err);
}
