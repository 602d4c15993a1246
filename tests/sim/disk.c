#include "sim/disk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lib/rng.h"

/* ---- names ---- */

static struct disk_names *now(const struct disk *d)
{
	return d->versions[d->n_versions - 1];
}

static int find(const struct disk_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->list[i].name, name) == 0)
			return (int)i;
	return -1;
}

static void new_version(struct disk *d)
{
	struct disk_names *next = mem_alloc(sizeof(*next));

	*next = *now(d);
	d->versions = mem_realloc(d->versions, (d->n_versions + 1) * sizeof(struct disk_names *));
	d->versions[d->n_versions++] = next;
}

static void set(struct disk *d, const char *name, struct disk_file *f)
{
	struct disk_names *names = now(d);
	int i = find(names, name);

	if (i < 0) {
		assert(names->n < DISK_NAMES && strlen(name) < DISK_NAME);
		i = (int)names->n++;
		strcpy(names->list[i].name, name); /* NOLINT(*insecureAPI*) */
	}
	names->list[i].file = f;
}

static void take(struct disk *d, const char *name)
{
	struct disk_names *names = now(d);
	int i = find(names, name);

	names->list[i] = names->list[--names->n];
}

static void file_free(struct disk_file *f)
{
	disk_forget_writes(f);
	free(f->since);
	strbuf_done(&f->now);
	strbuf_done(&f->platter);
	free(f);
}

static bool is_named(const struct disk *d, const struct disk_file *f)
{
	for (size_t v = 0; v < d->n_versions; v++)
		for (size_t i = 0; i < d->versions[v]->n; i++)
			if (d->versions[v]->list[i].file == f)
				return true;
	return false;
}

static void free_nameless(struct disk *d)
{
	for (struct disk_file **p = &d->files; *p;) {
		struct disk_file *f = *p;

		if (f->open > 0 || is_named(d, f)) {
			p = &f->next;
			continue;
		}
		*p = f->next;
		file_free(f);
	}
}

/* Makes that version of the names the durable one. */
static void names_are_durable(struct disk *d, uint64_t version)
{
	size_t n = version > d->first_version ? (size_t)(version - d->first_version) : 0;

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		free(d->versions[i]);
	d->n_versions -= n;
	memmove(d->versions, d->versions + n, d->n_versions * sizeof(struct disk_names *));
	d->first_version = version;
	free_nameless(d);
}

/* ---- the disk ---- */

struct disk *disk_new(uint64_t seed)
{
	struct disk *d = mem_zalloc(sizeof(*d));

	d->rng = seed;
	d->versions = mem_zalloc(sizeof(struct disk_names *));
	d->versions[0] = mem_zalloc(sizeof(struct disk_names));
	d->n_versions = 1;
	return d;
}

void disk_free(struct disk *d)
{
	while (d->files) {
		struct disk_file *f = d->files;

		assert(f->open == 0);
		d->files = f->next;
		file_free(f);
	}
	for (size_t i = 0; i < d->n_versions; i++)
		free(d->versions[i]);
	free(d->versions);
	free(d);
}

void disk_die_within(struct disk *d, uint64_t changes)
{
	d->dies_at = d->changes + 1 + rng_next(&d->rng) % changes;
}

void disk_boot(struct disk *d, bool power_cut)
{
	size_t lost = power_cut ? rng_below(&d->rng, (uint32_t)d->n_versions) : 0;

	d->dead = false;
	d->dies_at = 0;
	if (!power_cut)
		return;
	d->boots++;
	while (lost-- > 0)
		free(d->versions[--d->n_versions]);
	names_are_durable(d, d->first_version + d->n_versions - 1);
	free_nameless(d);
	for (struct disk_file *f = d->files; f; f = f->next) {
		disk_lose_some(d, f, false);
		f->now.n = 0;
		strbuf_adds(&f->now, strbuf_str(&f->platter));
		f->allocated = f->now.n;
		f->lied = false;
	}
}

/* Returns 0; or the error with which the call fails, without any effect. */
static int begin_change(struct disk *d, unsigned one_in)
{
	bool fails = d->faults.next & 1;

	if (!d->dead && ++d->changes == d->dies_at)
		d->dead = true;
	if (d->dead)
		return -EIO;
	d->faults.next >>= 1;
	if (!fails && (!one_in || !rng_one_in(&d->rng, one_in)))
		return 0;
	d->failed++;
	return -EIO;
}

/* ---- files ---- */

void disk_put(struct strbuf *b, size_t at, const char *bytes, size_t n)
{
	if (at + n > b->n) {
		strbuf_reserve(b, at + n - b->n);
		memset(b->p + b->n, 0, at + n - b->n);
		b->n = at + n;
	}
	if (n > 0)
		memcpy(b->p + at, bytes, n);
}

void disk_cut(struct strbuf *b, size_t size)
{
	if (size > b->n) {
		strbuf_reserve(b, size - b->n);
		memset(b->p + b->n, 0, size - b->n);
	}
	b->n = size;
}

void disk_forget_writes(struct disk_file *f)
{
	for (size_t i = 0; i < f->n_since; i++)
		free(f->since[i].bytes);
	f->n_since = 0;
}

static void note(struct disk_file *f, size_t at, const char *bytes, size_t n)
{
	enum { MANY = 64 };
	struct disk_write *w = f->n_since ? &f->since[f->n_since - 1] : NULL;

	/*
	 * Some files are never synced: a write that repeats the last one takes its place, so that
	 * the list does not grow for ever.
	 */
	if (f->n_since >= MANY && bytes && w->bytes && w->at == at && w->n == n) {
		memcpy(w->bytes, bytes, n);
		return;
	}
	if (f->n_since == f->cap_since) {
		f->cap_since = f->cap_since ? 2 * f->cap_since : 16;
		f->since = mem_realloc(f->since, f->cap_since * sizeof(*f->since));
	}
	w = &f->since[f->n_since++];
	*w = (struct disk_write){ .at = at, .n = n };
	if (!bytes)
		return;
	w->bytes = mem_alloc(n);
	memcpy(w->bytes, bytes, n);
}

struct disk_file *disk_find(const struct disk *d, const char *name)
{
	int i = find(now(d), name);

	return i < 0 ? NULL : now(d)->list[i].file;
}

struct disk_file *disk_open(struct disk *d, const char *name, bool create, int *ret_error)
{
	struct disk_file *f = disk_find(d, name);

	*ret_error = d->dead ? -EIO : -ENOENT;
	if (!f && create) {
		*ret_error = begin_change(d, d->faults.names);
		if (*ret_error < 0)
			return NULL;
		f = mem_zalloc(sizeof(*f));
		f->id = ++d->ids;
		f->next = d->files;
		d->files = f;
		new_version(d);
		set(d, name, f);
		f->named = d->first_version + d->n_versions - 1;
	}
	if (!f || d->dead)
		return NULL;
	f->open++;
	return f;
}

void disk_close(struct disk *d, struct disk_file *f)
{
	if (--f->open == 0)
		free_nameless(d);
}

ssize_t disk_read(struct disk *d, struct disk_file *f, void *to, size_t n, size_t at)
{
	if (d->dead)
		return -EIO;
	if (d->faults.read && rng_one_in(&d->rng, d->faults.read)) {
		d->failed++;
		return -EIO;
	}
	if (at >= f->now.n)
		return 0;
	if (n > f->now.n - at)
		n = f->now.n - at;
	if (n > 0)
		memcpy(to, f->now.p + at, n);
	return (ssize_t)n;
}

static uint64_t blocks(size_t bytes)
{
	return (bytes + DISK_BLOCK - 1) / DISK_BLOCK;
}

static uint64_t blocks_of(const struct disk_file *f)
{
	return blocks(f->allocated > f->now.n ? f->allocated : f->now.n);
}

/* Returns up to how many bytes the file may grow. */
static size_t room_for(struct disk *d, const struct disk_file *f)
{
	uint64_t used = 0, all = d->faults.room / DISK_BLOCK;

	if (!d->faults.room)
		return SIZE_MAX;
	for (const struct disk_file *o = d->files; o; o = o->next)
		used += o == f ? 0 : blocks_of(o);
	if (used + blocks_of(f) > all)
		return blocks_of(f) * DISK_BLOCK;
	return (all - used) * DISK_BLOCK;
}

ssize_t disk_write(struct disk *d, struct disk_file *f, const void *from, size_t n, size_t at)
{
	int r = begin_change(d, d->faults.write);
	size_t room;

	if (r < 0)
		return r;
	room = at + n > f->now.n ? room_for(d, f) : SIZE_MAX;
	if (at + n > room) {
		d->full++;
		if (at >= room)
			return -ENOSPC;
		n = room - at;
	}
	disk_put(&f->now, at, from, n);
	note(f, at, from, n);
	return (ssize_t)n;
}

int disk_truncate(struct disk *d, struct disk_file *f, size_t size)
{
	int r = begin_change(d, d->faults.write);

	if (r < 0)
		return r;
	disk_cut(&f->now, size);
	f->allocated = f->allocated > size ? size : f->allocated;
	note(f, size, NULL, 0);
	return 0;
}

int disk_allocate(struct disk *d, struct disk_file *f, size_t size)
{
	int r = begin_change(d, 0);

	if (r < 0)
		return r;
	if (size > f->allocated && size > room_for(d, f)) {
		d->full++;
		return -ENOSPC;
	}
	f->allocated = size > f->allocated ? size : f->allocated;
	return 0;
}

static void write_since(const struct disk_file *f, struct strbuf *to)
{
	for (size_t i = 0; i < f->n_since; i++) {
		const struct disk_write *w = &f->since[i];

		if (w->bytes)
			disk_put(to, w->at, w->bytes, w->n);
		else
			disk_cut(to, w->at);
	}
}

/*
 * A sync that fails may have written any part, and Linux then takes the rest for written, too: the
 * next sync succeeds without it.
 */
int disk_sync(struct disk *d, struct disk_file *f)
{
	uint64_t failed = d->failed;
	int r = begin_change(d, d->faults.sync);

	if (d->failed != failed && rng_one_in(&d->rng, 2))
		disk_lose_some(d, f, true);
	if (r < 0)
		return r;
	if (d->faults.lie && rng_one_in(&d->rng, d->faults.lie)) {
		f->lied |= f->n_since > 0 || f->named > d->first_version;
		d->lies++;
		return 0;
	}
	write_since(f, &f->platter);
	disk_forget_writes(f);
	/*
	 * This sync makes the lie true, unless a sync that failed has dropped something meanwhile.
	 */
	f->lied = f->lied && !str_eq(strbuf_str(&f->now), strbuf_str(&f->platter));
	names_are_durable(d, f->named);
	return 0;
}

bool disk_has_lied(const struct disk *d)
{
	for (const struct disk_file *f = d->files; f; f = f->next)
		if (f->lied)
			return true;
	return false;
}

void disk_forget_cached(struct disk *d, struct disk_file *f)
{
	if (d->dead)
		return;
	f->now.n = 0;
	strbuf_adds(&f->now, strbuf_str(&f->platter));
	write_since(f, &f->now);
}

int disk_sync_names(struct disk *d)
{
	int r = begin_change(d, d->faults.names);

	if (r == 0)
		names_are_durable(d, d->first_version + d->n_versions - 1);
	return r;
}

int disk_link(struct disk *d, const char *from, const char *to)
{
	struct disk_file *f = disk_find(d, from);
	int r = !f ? -ENOENT : disk_find(d, to) ? -EEXIST : begin_change(d, d->faults.names);

	if (d->dead || r < 0)
		return d->dead ? -EIO : r;
	new_version(d);
	set(d, to, f);
	return 0;
}

int disk_rename(struct disk *d, const char *from, const char *to)
{
	struct disk_file *f = disk_find(d, from);
	int r = f ? begin_change(d, d->faults.names) : -ENOENT;

	if (d->dead || r < 0)
		return d->dead ? -EIO : r;
	new_version(d);
	take(d, from);
	set(d, to, f);
	return 0;
}

int disk_unlink(struct disk *d, const char *name)
{
	int r = disk_find(d, name) ? begin_change(d, d->faults.names) : -ENOENT;

	if (d->dead || r < 0)
		return d->dead ? -EIO : r;
	new_version(d);
	take(d, name);
	return 0;
}

void disk_put_file(struct disk *d, const char *name, struct str bytes)
{
	struct disk_file *f = disk_find(d, name);

	if (!f) {
		f = mem_zalloc(sizeof(*f));
		f->id = ++d->ids;
		f->next = d->files;
		d->files = f;
		for (size_t i = 0; i < d->n_versions; i++) {
			struct disk_names *names = d->versions[i];

			assert(names->n < DISK_NAMES);
			strcpy(names->list[names->n].name, name); /* NOLINT(*insecureAPI*) */
			names->list[names->n++].file = f;
		}
	}
	disk_forget_writes(f);
	f->put++;
	f->now.n = f->platter.n = 0;
	strbuf_adds(&f->now, bytes);
	strbuf_adds(&f->platter, bytes);
}

void disk_flip_bit(struct disk *d, struct disk_file *f, size_t bit)
{
	(void)d;
	if (bit / 8 < f->now.n)
		f->now.p[bit / 8] ^= (char)(1 << bit % 8);
	if (bit / 8 < f->platter.n)
		f->platter.p[bit / 8] ^= (char)(1 << bit % 8);
}
