/* The documents of a merged group: what is restored of them is the same, and damage is found. */
#include <stdlib.h>

#include "base/mem.h"
#include "lib/run.h"
#include "merge/document.h"
#include "unit/merge/merged_world.h"

struct kept {
	uint64_t id;
	struct strbuf bytes;
};

struct documents {
	struct kept list[64];
	unsigned n;
};

static void keep_document(void *arg, struct document *doc, struct str bytes)
{
	uint64_t id = doc->id;
	struct documents *d = arg;
	unsigned i = 0;

	while (i < d->n && d->list[i].id != id)
		i++;
	ck_assert_uint_lt(i, ARRAY_LEN(d->list));
	if (i == d->n)
		d->list[d->n++] = (struct kept){ .id = id };
	d->list[i].bytes.n = 0;
	strbuf_adds(&d->list[i].bytes, bytes);
}

/* What is kept, in the order of it or in the reverse one. */
static struct merged_group *load(const struct documents *d, bool reverse)
{
	struct merged_group *g = merged_group_new();
	struct err err;

	for (int families = 1; families >= 0; families--) {
		for (unsigned i = 0; i < d->n; i++) {
			const struct kept *k = &d->list[reverse ? d->n - 1 - i : i];
			struct str bytes = strbuf_str(&k->bytes);
			CLEANUP(freep) char *copy = mem_dup(bytes.p, bytes.n);

			bytes.p = copy;
			if (bytes.n && document_is_family(bytes) == families)
				ck_assert_msg(merged_load(g, &(struct document){ .id = k->id },
							  bytes, &err) == 0,
					      "%s", err.msg);
		}
	}
	merged_load_end(g);
	return g;
}

/* Every state can be loaded, and goes on as the one that was not. */
START_TEST(restarts_change_nothing)
{
	struct documents d = { .n = 0 };
	struct world w;

	init(&w);
	for (int i = 0; i < MAX_STEPS && rows[_i].steps[i]; i++) {
		run(&w, rows[_i].steps[i]);
		merged_documents(w.g, keep_document, &d);
		merged_commit(w.g);
		merged_group_free(w.g);
		w.g = load(&d, i % 2);
	}
	check(&w, rows[_i].steps[0], rows[_i].want);
	done(&w);
	for (unsigned i = 0; i < d.n; i++)
		strbuf_done(&d.list[i].bytes);
}
END_TEST

/* Each of them cut short anywhere is damaged, and with any byte changed at least safe to read. */
START_TEST(damaged_documents)
{
	struct documents d = { .n = 0 };
	struct world w;
	struct err err;

	init(&w);
	for (int i = 0; i < MAX_STEPS && rows[_i].steps[i]; i++)
		run(&w, rows[_i].steps[i]);
	merged_documents(w.g, keep_document, &d);
	for (unsigned i = 0; i < d.n; i++) {
		const struct strbuf *b = &d.list[i].bytes;

		for (size_t n = 0; n < b->n; n++) {
			struct merged_group *g = merged_group_new();
			CLEANUP(freep) char *copy = mem_dup(b->p, n);
			CLEANUP(freep) char *wrong = mem_dup(b->p, b->n);

			ck_assert_int_lt(merged_load(g, &(struct document){ .id = 1 },
						     (struct str){ copy, n }, &err),
					 0);
			wrong[n] = (char)(wrong[n] ^ (1 << n % 8));
			(void)merged_load(g, &(struct document){ .id = 2 },
					  (struct str){ wrong, b->n }, &err);
			merged_group_free(g);
		}
		strbuf_done(&d.list[i].bytes);
	}
	done(&w);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("documents");

	tcase_add_loop_test(tc, restarts_change_nothing, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, damaged_documents, 0, (int)ARRAY_LEN(rows));
	return run_cases_in_one_process("documents", tc);
}
