/* What a power cut, or a sync that fails, leaves of what was written since the last sync. */
#include "base/mem.h"
#include "lib/rng.h"
#include "sim/disk.h"

/* How much of what was written comes to the platter. */
enum spread { ALL, NOTHING, IN_ORDER, BY_SECTOR, N_SPREADS };

struct loss {
	struct disk *disk;
	struct disk_file *f;
	enum spread spread;
	uint64_t seed;
	size_t lengths; /* how many calls that change the length take effect */
	size_t in_order;
};

/* Returns how many of the writes have come to the sector. */
static size_t come_to(const struct loss *l, size_t sector)
{
	uint64_t rng = l->seed ^ sector * 0x9E3779B97F4A7C15u;

	switch (l->spread) {
	case ALL:
		return l->f->n_since;
	case NOTHING:
		return 0;
	case IN_ORDER:
		return l->in_order;
	default:
		break;
	}
	if (rng_one_in(&rng, 3))
		return rng_one_in(&rng, 2) ? l->f->n_since : 0;
	return rng_below(&rng, (uint32_t)l->f->n_since + 1);
}

/* Writes part of a sector, its first bytes or its last ones: power failed during the write. */
static void put_torn(struct loss *l, struct strbuf *to, const struct disk_write *w, size_t at,
		     size_t n)
{
	size_t part = rng_below(&l->seed, (uint32_t)n + 1);

	l->disk->torn = true;
	if (rng_one_in(&l->seed, 2))
		disk_put(to, at, w->bytes + (at - w->at), part);
	else if (part < n)
		disk_put(to, at + part, w->bytes + (at - w->at) + part, n - part);
}

static void put_some(struct loss *l, struct strbuf *to, size_t i)
{
	const struct disk_write *w = &l->f->since[i];

	for (size_t at = w->at; at < w->at + w->n;) {
		size_t sector = at / DISK_SECTOR, end = (sector + 1) * DISK_SECTOR, come;

		if (end > w->at + w->n)
			end = w->at + w->n;
		come = come_to(l, sector);
		if (i + 1 == come && l->spread != ALL && rng_one_in(&l->seed, 4))
			put_torn(l, to, w, at, end - at);
		else if (i < come)
			disk_put(to, at, w->bytes + (at - w->at), end - at);
		at = end;
	}
}

static size_t length_after(const struct disk_file *f, size_t calls)
{
	size_t n = f->platter.n;

	for (size_t i = 0; i < calls; i++) {
		const struct disk_write *w = &f->since[i];

		if (!w->bytes)
			n = w->at;
		else if (w->at + w->n > n)
			n = w->at + w->n;
	}
	return n;
}

void disk_lose_some(struct disk *d, struct disk_file *f, bool lengths_come)
{
	struct loss l = {
		.disk = d,
		.f = f,
		.spread = (enum spread)rng_below(&d->rng, N_SPREADS),
		.seed = rng_next(&d->rng),
		.in_order = rng_below(&d->rng, (uint32_t)f->n_since + 1),
	};
	size_t length;

	if (f->n_since == 0)
		return;
	l.lengths = lengths_come || l.spread == ALL ? f->n_since
		    : l.spread == NOTHING           ? 0
		    : l.spread == IN_ORDER          ? l.in_order
						    : rng_below(&d->rng, (uint32_t)f->n_since + 1);
	length = length_after(f, l.lengths);
	for (size_t i = 0; i < f->n_since; i++) {
		if (f->since[i].bytes)
			put_some(&l, &f->platter, i);
		else if (i < l.lengths)
			disk_cut(&f->platter, f->since[i].at);
	}
	disk_cut(&f->platter, length);
	disk_forget_writes(f);
}
