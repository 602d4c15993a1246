#include "sim/steps.h"

#include <stdio.h>
#include <stdlib.h>

#include "commit/late.h"
#include "journal/sqlite/backup.h"
#include "lib/rng.h"
#include "sim/fibers.h"
#include "sim/loop.h"
#include "sim/requests.h"

/* ---- what there is ---- */

static const char *const names[N_STEP_KINDS] = {
	"request",    "remove", "retry", "scrape", "go on", "time",    "clock",
	"disconnect", "settle", "kill",  "power",  "crash", "restart", "faults",
	"full",       "heal",   "lies",  "rot",    "rules", "backup",
};

/* How often each step comes, by the theme of the history. */
enum theme { CRASHES, CRASHES_ONLY, FAULTS, FAULTS_AND_CRASHES, FULL_DISK, LIES, ROT, N_THEMES };

static const unsigned weights[N_THEMES][N_STEP_KINDS] = {
	[CRASHES] = { 34, 6, 4, 4, 30, 3, 1, 2, 4, 10, 10, 4,
		      2, [STEP_RULES] = 4, [STEP_BACKUP] = 2 },
	[CRASHES_ONLY] = { 10, 6, 2, 0, 4, 2, 1, 1, 1, 0, 0, 60,
			   1, [STEP_RULES] = 2, [STEP_BACKUP] = 1 },
	[FAULTS] = { 46, 3, 4, 4, 30, 14, 1, 2, 8, 1, 1, 0,
		     1, [STEP_FAULTS] = 6, [STEP_HEAL] = 6, [STEP_RULES] = 4, [STEP_BACKUP] = 2 },
	[FAULTS_AND_CRASHES] = { 40, 3, 4, 4, 30, 6, 1, 2, 4, 3, 6, 2, 1, [STEP_FAULTS] = 8,
				 [STEP_HEAL] = 6, [STEP_RULES] = 4, [STEP_BACKUP] = 2 },
	[FULL_DISK] = { 46, 3, 4, 4, 30, 4, 1, 2, 8, 1, 1, 0,
			1, [STEP_FULL] = 6, [STEP_HEAL] = 4, [STEP_RULES] = 4, [STEP_BACKUP] = 2 },
	[LIES] = { 46, 3, 4, 4, 30, 3, 1, 2, 4, 1, 1, 0, 1, [STEP_LIES] = 4 },
	[ROT] = { 46, 3, 4, 4, 30, 3, 1, 2, 4, 1, 1, 0, 1, [STEP_ROT] = 2 },
};

static enum sim_step_kind random_kind(uint64_t *rng, enum theme theme)
{
	unsigned all = 0, at;

	for (int k = 0; k < N_STEP_KINDS; k++)
		all += weights[theme][k];
	at = rng_below(rng, all);
	for (int k = 0;; k++) {
		if (at < weights[theme][k])
			return (enum sim_step_kind)k;
		at -= weights[theme][k];
	}
}

void history_make(struct history *h, uint64_t seed, bool crashes_only)
{
	static const enum theme themes[] = { CRASHES,   CRASHES, CRASHES, CRASHES,
					     CRASHES,   CRASHES, FAULTS,  FAULTS_AND_CRASHES,
					     FULL_DISK, LIES,    ROT };
	uint64_t rng = seed;
	enum theme theme = themes[rng_below(&rng, ARRAY_LEN(themes))];

	if (crashes_only)
		theme = CRASHES_ONLY;
	h->seed = seed;
	h->n = HISTORY_STEPS;
	for (unsigned i = 0; i < h->n; i++)
		h->steps[i] = (struct sim_step){ random_kind(&rng, theme), rng_next(&rng) };
}

/* ---- steps ---- */

static void set_faults(struct world *w)
{
	static const unsigned often[] = { 2, 5, 20, 100, 400 };
	unsigned one_in = often[rng_below(&w->rng, ARRAY_LEN(often))];
	struct disk_faults *f = &w->disk->faults;

	switch (rng_below(&w->rng, 6)) {
	case 0:
		f->write = one_in;
		break;
	case 1:
		f->read = one_in * 4;
		break;
	case 2:
		f->names = one_in;
		break;
	case 3:
		f->shorts = one_in;
		break;
	default:
		f->sync = one_in;
	}
}

static void flip_bits(struct world *w)
{
	const char *name = rng_one_in(&w->rng, 2) ? DISK_DATABASE : DISK_DATABASE "-wal";
	struct disk_file *f;

	world_settle(w);
	f = w->over ? NULL : disk_find(w->disk, name);
	if (!f || f->now.n == 0)
		return;
	w->rotten = true;
	w->counts->rotten++;
	disk_flip_bit(w->disk, f, (size_t)(rng_next(&w->rng) % (f->now.n * 8)));
	world_restart(w, rng_one_in(&w->rng, 2));
}

static void die_soon(struct world *w, bool power_cut)
{
	static const unsigned soon[] = { 1, 4, 20, 80 };

	w->power_cut = power_cut;
	disk_die_within(w->disk, soon[rng_below(&w->rng, ARRAY_LEN(soon))]);
}

/* Requests that are under way stay so: nothing waits for their answers before the crash. */
static void crash(struct world *w)
{
	static const unsigned soon[] = { 1, 4, 8, 16, 40 };

	w->power_cut = !rng_one_in(&w->rng, 3);
	disk_die_within(w->disk, soon[rng_below(&w->rng, ARRAY_LEN(soon))]);
	for (unsigned n = rng_below(&w->rng, 5); n > 0 && !w->over && !w->disk->dead; n--)
		requests_send(w, REQUESTS_ANY);
	if (rng_one_in(&w->rng, 8))
		requests_remove(w);
	world_crash(w);
}

/*
 * Of a change that is under way a part may come before it, and another one behind. Some databases
 * are copied between one commit and the next, page by page.
 */
static void back_up(struct world *w)
{
	int client = requests_free_client(w);
	enum { PUSHES = 12 };
	bool among_pushes = rng_one_in(&w->rng, 2);

	if (w->over || !w->process || client < 0 || w->backup.fd || w->backup.copy.n)
		return;
	backups_send(w, (unsigned)client);
	for (unsigned n = 0; among_pushes && n < PUSHES && w->backup.fd && !w->over; n++) {
		requests_send(w, REQUESTS_LONG);
		for (unsigned k = rng_below(&w->rng, 40); k > 0 && !w->over; k--)
			world_go_on(w);
	}
}

static void take_disk_step(struct world *w, const struct sim_step *s)
{
	switch (s->kind) {
	case STEP_FAULTS:
		set_faults(w);
		break;
	case STEP_FULL:
		w->disk->faults.room = (1 + rng_below(&w->rng, 24)) * UINT64_C(262144);
		break;
	case STEP_HEAL:
		w->disk->faults = (struct disk_faults){ 0 };
		break;
	case STEP_LIES:
		w->disk->faults.lie = 1 + rng_below(&w->rng, 4);
		break;
	case STEP_ROT:
		flip_bits(w);
		break;
	default:
		break;
	}
}

static void take_step(struct world *w, const struct sim_step *s)
{
	switch (s->kind) {
	case STEP_REQUEST:
	case STEP_RETRY:
		requests_send(w, s->kind == STEP_RETRY ? REQUESTS_AGAIN : REQUESTS_ANY);
		break;
	case STEP_REMOVE:
		requests_remove(w);
		break;
	case STEP_SCRAPE:
		slows_step(w);
		if (w->ends && rng_one_in(&w->rng, 2))
			world_pass_long(w);
		else
			world_scrape(w);
		break;
	case STEP_GO_ON:
		for (unsigned n = rng_below(&w->rng, 6); n > 0 && !w->over; n--)
			world_go_on(w);
		break;
	case STEP_TIME:
		if (w->ends && rng_one_in(&w->rng, 2)) {
			world_pass_long(w);
			break;
		}
		world_pass_time(w, (int64_t)rng_below(&w->rng, 3000) * 1000000,
				(int64_t)rng_below(&w->rng, 3) * 1000000000);
		break;
	case STEP_CLOCK:
		world_pass_time(w, 0, ((int64_t)rng_below(&w->rng, 200) - 100) * 1000000000);
		break;
	case STEP_DISCONNECT:
		world_disconnect(w, rng_below(&w->rng, WORLD_CLIENTS));
		break;
	case STEP_SETTLE:
		world_settle(w);
		break;
	case STEP_KILL:
	case STEP_POWER:
		die_soon(w, s->kind == STEP_POWER);
		break;
	case STEP_CRASH:
		if (!w->over && w->process)
			crash(w);
		break;
	case STEP_RULES:
		requests_change_rules(w);
		break;
	case STEP_BACKUP:
		back_up(w);
		break;
	case STEP_RESTART:
		w->lowers = w->limited && rng_one_in(&w->rng, 2);
		world_restart(w, w->disk->dies_at && rng_one_in(&w->rng, 2));
		break;
	default:
		take_disk_step(w, s);
	}
}

static bool may_be_damaged(const struct history *h)
{
	for (unsigned i = 0; i < h->n; i++)
		if (h->steps[i].kind == STEP_LIES || h->steps[i].kind == STEP_ROT)
			return true;
	return false;
}

static struct world_has world_of(uint64_t seed)
{
	struct world_has has = { .kind = seed % 5 == 2   ? WORLD_ENDS
					 : seed % 5 == 3 ? WORLD_LIMITED
							 : WORLD_PLAIN };

	has.logins = seed / 20 % 6 == 1;
	has.rules = seed / 5 % 4 == 1 ||
		    ((has.kind == WORLD_ENDS || has.logins) && seed / 5 % 4 == 3);
	has.crowded = seed / 20 % 6 == 0;
	has.slow = seed / 20 % 6 == 3;
	has.few_values = seed / 20 % 6 == 3;
	has.zero_first = seed / 20 % 6 >= 4;
	if (has.kind == WORLD_LIMITED && seed / 5 % 2)
		has.max_bytes = ORACLE_BYTES;
	if (seed / 20 % 6 == 2)
		has.limits = (struct pushes_limits){ 3000, NAIVE_PADDING - seed % 2, 9, 6 };
	return has;
}

bool history_run(const struct history *h, struct world_counts *counts, struct strbuf *why)
{
	static struct world w;
	struct world_has has = world_of(h->seed);
	bool good;

	requests_begin(h->seed % 2 || has.logins);
	/* So that some pushes are large. */
	late_families = h->seed % 3 == 0 ? LATE_FAMILIES : (uint32_t)(h->seed % 3);
	backup_step_pages = h->seed % 3 == 0 ? 64 : (int)(h->seed % 3);
	world_start(&w, h->seed, has, counts);
	w.oracle.notes = may_be_damaged(h);
	for (unsigned i = 0; i < h->n && !w.over; i++) {
		w.rng = w.disk->rng = h->steps[i].seed;
		fibers_seed(h->steps[i].seed);
		loop_seed(h->steps[i].seed);
		take_step(&w, &h->steps[i]);
		counts->steps++;
	}
	if (!w.over)
		world_check_well(&w);
	if (!w.over)
		world_restart(&w, false);
	good = world_end(&w);
	strbuf_adds(why, strbuf_str(&w.why));
	strbuf_done(&w.why);
	return good;
}

/* ---- shrinking ---- */

static bool fails(const struct history *h)
{
	CLEANUP(strbuf_done) struct strbuf why = { 0 };
	struct world_counts counts = { 0 };

	return !history_run(h, &counts, &why);
}

/* Copies the history without the n steps from i on. */
static void leave_out(const struct history *h, unsigned i, unsigned n, struct history *ret)
{
	*ret = *h;
	memmove(ret->steps + i, ret->steps + i + n, (h->n - i - n) * sizeof(*ret->steps));
	ret->n -= n;
}

void history_shrink(struct history *h)
{
	struct history less;

	for (unsigned n = h->n / 2; n > 0; n = n > 1 ? n / 2 : 0)
		for (unsigned i = 0; i + n <= h->n;) {
			leave_out(h, i, n, &less);
			if (fails(&less))
				*h = less;
			else
				i += n;
		}
}

void history_print(const struct history *h)
{
	for (unsigned i = 0; i < h->n; i++)
		printf("  %s %llx\n", names[h->steps[i].kind],
		       (unsigned long long)h->steps[i].seed);
}
