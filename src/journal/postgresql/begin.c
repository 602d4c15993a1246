/*
 * Begins a batch before its rows are known: takes the lock, and reads rows that others have
 * written.
 */
#include "base/clock.h"
#include "journal/postgresql/internal.h"

/* 1: not yet: others have the lock, or too many rows are missing to read them under it. */
static int lock_and_catch_up(struct postgresql *p, const struct storage_follower *f,
			     int64_t deadline, struct err *err)
{
	CLEANUP(PQclearp) PGresult *news = NULL;
	int r = postgresql_lock_head(p, deadline, PART_NS, &p->head, &news, err);

	if (r != 0)
		return r;
	if (postgresql_is_current(p, &p->head))
		return 0;
	if (PQntuples(news) == 0)
		return 1;
	if (postgresql_take_news(p, f, news, err) < 0)
		return -1;
	if (postgresql_is_current(p, &p->head))
		return 0;
	err_set(err, ERR_STORAGE, 0, "the log in schema %s does not end where it says",
		p->settings.schema);
	postgresql_changed(p, err);
	return -1;
}

/* Each part of catching up may take a time-out, which does not shorten the wait for the lock. */
static int catch_up_without_lock(struct postgresql *p, const struct storage_follower *f,
				 int64_t *deadline, struct err *err)
{
	int64_t start = clock_mono_ns();
	int failed;

	p->until_ns = 0;
	failed = postgresql_follow(&p->base, f, err);
	if (!failed)
		*deadline += clock_mono_ns() - start;
	p->until_ns = *deadline;
	return failed;
}

static int try_to_begin(struct postgresql *p, const struct storage_follower *f, int64_t *deadline,
			struct err *err)
{
	enum { TRIES = 2 };

	for (int i = 0; i < TRIES; i++) {
		int r = lock_and_catch_up(p, f, *deadline, err);

		if (r > 0 && catch_up_without_lock(p, f, deadline, err) < 0)
			r = -1;
		if (r >= 0)
			return r;
		/* An idle connection may have been lost long ago, so a second try connects anew. */
		if (p->session.conn || p->changed || p->newer || clock_mono_ns() >= *deadline)
			break;
	}
	return -1;
}

/* Whoever could not wait for the lock any longer has told the session to end that had it. */
static void give_time(const struct postgresql *p, int64_t *deadline)
{
	int64_t least = clock_mono_ns() + p->settings.timeout_ns / 4;

	if (p->kept_out && *deadline < least)
		*deadline = least;
}

int postgresql_begin(struct storage *st, const struct storage_follower *f, int64_t *deadline,
		     double *ret_now, struct err *err)
{
	struct postgresql *p = postgresql_of(st);
	int r;

	give_time(p, deadline);
	p->until_ns = *deadline;
	/* Nothing is asked for of which there is no time to wait for the answer. */
	r = clock_mono_ns() < *deadline ? try_to_begin(p, f, deadline, err)
					: postgresql_no_time(err);
	p->until_ns = 0;
	p->locked = r == 0;
	*ret_now = p->head.now;
	if (r >= 0)
		return r;
	postgresql_roll_back(p);
	err_prefix(err, "the push could not be stored: ");
	err->reason = ERR_STORAGE;
	return -1;
}

void postgresql_cancel(struct storage *st)
{
	struct postgresql *p = postgresql_of(st);

	if (!p->locked)
		return;
	p->locked = false;
	postgresql_roll_back(p);
}
