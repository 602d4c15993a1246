/*
 * Any bytes as a Go Pushgateway's file. What must hold: they are read, or refused with one line of
 * text; what is read lies inside the file and its times are times; its groups are imported as far
 * as the rules allow, and no family is counted twice.
 */
#undef NDEBUG
#include <assert.h>

#include "import/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
	struct str file;
	struct import *im;
	uint64_t groups, families;
	bool damaged; /* a family's message is none */
};

static void check_inside(const struct reading *r, struct str s)
{
	assert(s.n == 0 || (s.p >= r->file.p && s.p + s.n <= r->file.p + r->file.n));
}

static int check_group(void *arg, const struct gob_group *g, struct err *err)
{
	struct reading *r = arg;

	for (uint32_t i = 0; i < g->n_labels; i++) {
		check_inside(r, g->labels[i].name);
		check_inside(r, g->labels[i].value);
	}
	for (uint32_t i = 0; i < g->n_families; i++) {
		check_inside(r, g->families[i].name);
		check_inside(r, g->families[i].message);
		assert(g->families[i].timestamp >= 0 && g->families[i].timestamp < 253402300801.0);
	}
	r->groups++;
	r->families += g->n_families;
	if (import_group(r->im, g, err) == 0)
		return 0;
	r->damaged = true;
	return -1;
}

static void ignore(void *arg, const char *group, struct str family, const char *why)
{
	(void)arg;
	(void)family;
	assert(group && why && why[0] != '\0');
}

static void check_counts(const struct reading *r)
{
	const struct import_counts n = import_counts(r->im);

	/* Groups without families wait for the commit; time metrics are counted only if refused. */
	assert(n.groups + n.groups_left_out <= r->groups);
	assert(n.families + n.families_left_out <= r->families);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct store_limits none = { UINT64_MAX, UINT64_MAX };
	const struct import_listener listener = { ignore, NULL };
	struct reading r = { .file = { (const char *)data, size } };
	struct store *scratch = store_new(&none);
	struct err err = { 0 };

	gob_recognise((struct str){ r.file.p, size < GOB_HEAD ? size : GOB_HEAD });
	r.im = import_new(scratch, &listener);
	if (gob_read(r.file, check_group, &r, &err) < 0) {
		assert(err.reason == ERR_SYSTEM && err.msg[0] != '\0' && !strchr(err.msg, '\n'));
	} else {
		assert(!r.damaged);
		check_counts(&r);
	}
	import_free(r.im);
	store_free(scratch);
	return 0;
}
