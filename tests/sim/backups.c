#include "sim/backups.h"

#include <assert.h>

#include "lib/exposed.h"
#include "lib/rng.h"
#include "process/startup.h"
#include "sim/world.h"

#define COPY DISK_DIRECTORY "copy"

void backups_send(struct world *w, unsigned client)
{
	struct sim_backup *b = &w->backup;

	/* In the end it is given up. */
	if (b->left && rng_one_in(&w->rng, 2)) {
		world_come_to_rest(w);
		b->left = false;
		if (w->over || w->disk->dead)
			return;
	}
	b->copy.n = 0;
	b->from = 0;
	for (size_t i = 0; i < w->oracle.n_open; i++)
		if (w->oracle.open[i].status && w->oracle.open[i].order > b->from)
			b->from = w->oracle.open[i].order;
	b->failed = w->disk->failed + w->disk->full + w->disk->lies;
	world_send(
		w, client, NULL,
		STR("PUT /api/v1/admin/backup HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
	b->fd = w->clients[client].fd;
}

/* One that nobody awaits any more is still being made. */
static bool is_second(const struct sim_backup *b, int status, struct str content)
{
	static const char refused[] = "another backup is being made";

	return b->left && status == 503 && content.n > 0 &&
	       memmem(content.p, content.n, refused, strlen(refused));
}

void backups_note_reply(struct world *w, int fd, int status, struct str content)
{
	struct sim_backup *b = &w->backup;

	if (b->fd == 0 || b->fd != fd)
		return;
	b->fd = 0;
	b->until = w->order;
	if (status == 200)
		strbuf_adds(&b->copy, content);
	/* Whoever is told to stop while it is made gives it up. */
	else if (w->process && !is_second(b, status, content) &&
		 b->failed == w->disk->failed + w->disk->full + w->disk->lies && !w->rotten)
		world_fails(w, "a backup is answered %d: %.*s", status,
			    (int)(content.n < 300 ? content.n : 300), content.p);
}

bool backups_was_cut(struct world *w, int fd)
{
	if (w->backup.fd != fd || !net_socket_of(fd)->shut ||
	    w->backup.failed == w->disk->failed + w->disk->full + w->disk->lies)
		return false;
	backups_forget(w);
	return true;
}

void backups_leave(struct world *w)
{
	w->backup.fd = 0;
	w->backup.copy.n = 0;
	w->backup.left = true;
}

void backups_forget(struct world *w)
{
	w->backup = (struct sim_backup){ .copy = w->backup.copy };
	w->backup.copy.n = 0;
}

static void nothing(void *arg)
{
	(void)arg;
}

/* As a gateway opens it that is started with it. */
static bool expose_copy(struct world *w, struct strbuf *out)
{
	static char name[] = "tallygate", file[] = "--persistence.file=" COPY;
	static char utf8[] = "--push.enable-utf8-names";
	static char *argv[] = { name, file, utf8, NULL };
	const struct startup_listener listener = { nothing, NULL };
	enum config_action action;
	struct config c;
	struct opened opened;
	struct err err;
	int r = config_parse(&c, 3, argv, &action, &err);

	assert(r == 0);
	r = startup_open(&c, &listener, &opened, &err);
	config_done(&c);
	if (r < 0)
		return world_fails(w, "a backup cannot be opened: %s", err.msg);
	if (opened.set_aside)
		world_fails(w, "a backup is damaged");
	exposed_add(opened.store, out);
	opened.storage->ops->close(opened.storage);
	store_free(opened.store);
	return !w->over;
}

static void remove_copy(struct disk *d)
{
	static const char *const names[] = { COPY, COPY "-wal", COPY "-synced" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (disk_find(d, names[i]))
			disk_unlink(d, names[i]);
}

/* On a disk that is well meanwhile. */
static bool open_copy(struct world *w, struct strbuf *out)
{
	struct disk *d = w->disk;
	struct disk_faults faults = d->faults;
	uint64_t left = d->dies_at ? d->dies_at - d->changes : 0;
	bool good;

	d->faults = (struct disk_faults){ 0 };
	d->dies_at = 0;
	disk_put_file(d, COPY, strbuf_str(&w->backup.copy));
	good = expose_copy(w, out);
	remove_copy(d);
	d->faults = faults;
	d->dies_at = left ? d->changes + left : 0;
	return good;
}

bool backups_check(struct world *w)
{
	CLEANUP(strbuf_done) struct strbuf shown = { 0 };
	struct sim_backup *b = &w->backup;
	bool good;

	if (b->copy.n == 0)
		return true;
	w->counts->backups++;
	/* What was in doubt meanwhile may be in it, or not. */
	good = open_copy(w, &shown) &&
	       (b->failed != w->disk->failed + w->disk->full + w->disk->lies || w->rotten ||
		oracle_was_between(&w->oracle, b->from, b->until, strbuf_str(&shown)) ||
		w->oracle.too_many ||
		world_fails(w, "a backup shows what was not there meanwhile:\n%s",
			    strbuf_z(&shown)));
	b->copy.n = 0;
	return good;
}
