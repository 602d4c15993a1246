/* The exposition of sums in a store, to be compared line by line. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "format/protobuf/decode.h"
#include "lib/naive_sums.h"
#include "lib/sum_history.h"
#include "merge/native.h"
#include "metrics/native_histogram.h"
#include "store/store.h"

static void add_exemplar(const struct metric *m, int i, struct strbuf *out)
{
	strbuf_addf(out, "c exemplar %d at %d", i, (int)m->exemplar->ts.seconds);
	naive_line(out, m->exemplar->value);
}

static void add_shown_native(struct str name, const struct histogram *h, int i, struct strbuf *out)
{
	CLEANUP(freep) struct native *v = mem_alloc(native_size(native_room(h)));

	native_read(h, v);
	strbuf_adds(out, name);
	strbuf_addf(out, " native %d %d %.17g %.17g", i, v->schema, v->threshold, v->zero);
	for (uint32_t k = 0; k < v->n; k++)
		strbuf_addf(out, " %s%d:%.17g", v->counts[k].negative ? "-" : "",
			    v->counts[k].index, v->counts[k].count);
	strbuf_addc(out, '\n');
}

static void add_message(struct str proto, struct arena *a, struct strbuf *out)
{
	static const struct decode_limits lim = DECODE_UNLIMITED;
	struct family *families;
	struct err err;

	must(proto_decode(arena_dup(a, proto), &lim, a, &families, &err) == 0, err.msg);
	for (struct family *f = families; f; f = f->next)
		for (struct metric *m = f->metrics; m; m = m->next) {
			int i = 0;

			for (uint32_t k = 0; k < m->n_labels; k++)
				if (str_eq(m->labels[k].name, STR("x")))
					i = m->labels[k].value.p[0] - '0';
			if (m->exemplar)
				add_exemplar(m, i, out);
			if (m->histogram && native_histogram_is(m->histogram))
				add_shown_native(f->name, m->histogram, i, out);
		}
}

void sum_add_messages(struct store *s, struct strbuf *out)
{
	struct snapshot *snap = store_snapshot(s, &(struct snapshot_wants){ .slots = SLOTS_LOSSY });
	CLEANUP(arena_done) struct arena a;

	arena_init(&a, ARENA_MUST);
	for (size_t i = 0; i < snap->n_families; i++)
		for (size_t k = 0; k < snap->families[i].n; k++) {
			const struct snapshot_page *p = &snap->pages[snap->families[i].first + k];

			for (uint32_t n = 0; n < p->n_slots; n++)
				if (p->slots[n].proto)
					add_message(bytes_str(p->slots[n].proto), &a, out);
		}
	snapshot_free(snap);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void sum_sort_lines(struct strbuf *b)
{
	CLEANUP(freep) char *copy = mem_strdup(strbuf_z(b));
	char *lines[512], *save;
	size_t n = 0;

	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		lines[n++] = l;
	if (n > 0)
		qsort(lines, n, sizeof(*lines), by_text);
	b->n = 0;
	for (size_t i = 0; i < n; i++)
		strbuf_addf(b, "%s\n", lines[i]);
}

uint64_t sum_hash_lines(const struct strbuf *b)
{
	uint64_t sum = 0;

	for (size_t at = 0; at < b->n;) {
		const char *lf = memchr(b->p + at, '\n', b->n - at);
		size_t n = lf ? (size_t)(lf - b->p) + 1 - at : b->n - at;

		sum += hash_bytes((struct str){ b->p + at, n });
		at += n;
	}
	return sum;
}
