#include "api/group_filter.h"

#include <string.h>

#include "api/permission.h"
#include "base/hash.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static int add_selector(struct group_filter *f, struct str text, struct err *err)
{
	if (f->n_selectors == GROUP_FILTER_SELECTORS)
		return err_set(err, ERR_INVALID, 0, "there are more than %d match[]",
			       GROUP_FILTER_SELECTORS);
	if (selector_parse(text, &f->selectors[f->n_selectors], err) < 0) {
		err_prefix(err, "match[]: ");
		err->reason = ERR_INVALID;
		return -1;
	}
	f->n_selectors++;
	return 0;
}

/* A hash of names and values, so that a cursor is refused with another request's parameters. */
static uint64_t hash_of(const struct params *p)
{
	static const char *const names[] = { GROUP_FILTER_PARAMS };
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		for (uint32_t i = 0; i < p->n; i++)
			if (str_eq(p->list[i].name, str_of(names[k]))) {
				strbuf_addf(&b, "%zu:%zu:", k, p->list[i].value.n);
				strbuf_adds(&b, p->list[i].value);
			}
	return checksum_bytes(STR("group_filter"), strbuf_str(&b));
}

int group_filter_parse(const struct params *p, const struct caller *reader,
		       struct group_filter *ret, struct err *err)
{
	struct group_filter *f = ret;
	struct str search = params_get(p, "search");
	int older, failed, overdue, conflict;

	*f = (struct group_filter){ .narrowed = caller_if_narrowed(reader) };
	for (uint32_t i = 0; i < p->n; i++)
		if (str_eq(p->list[i].name, STR("match[]")) &&
		    add_selector(f, p->list[i].value, err) < 0)
			return -1;
	older = params_period(p, "older_than", &f->older_than_ns, err);
	failed = older < 0 ? -1 : params_flag(p, "failed", &f->failed, err);
	overdue = failed < 0 ? -1 : params_flag(p, "overdue", &f->overdue, err);
	conflict = overdue < 0 ? -1 : params_flag(p, "conflict", &f->conflict, err);
	if (conflict < 0)
		return -1;
	f->has_older_than = older > 0;
	f->has_failed = failed > 0;
	f->has_overdue = overdue > 0;
	f->has_conflict = conflict > 0;
	for (size_t i = 0; i < search.n; i++)
		strbuf_addc(&f->search, lower(search.p[i]));
	f->hash = hash_of(p);
	return 0;
}

void group_filter_done(struct group_filter *f)
{
	for (size_t i = 0; i < f->n_selectors; i++)
		selector_free(f->selectors[i]);
	strbuf_done(&f->search);
	*f = (struct group_filter){ 0 };
}

static int out_of_memory(struct err *err)
{
	return err_set(err, ERR_BUSY, 0, "not enough memory for the answer");
}

/* 1, 0, or -1: *err. Both may be long, and memmem() takes time for their sum, not their product. */
static int has_text(struct str in, struct str text, struct arena *scratch, struct err *err)
{
	char *low;

	arena_reset(scratch);
	low = arena_alloc(scratch, in.n);
	if (!low)
		return out_of_memory(err);
	for (size_t i = 0; i < in.n; i++)
		low[i] = lower(in.p[i]);
	return memmem(low, in.n, text.p, text.n) != NULL;
}

int group_filter_key(const struct group_filter *f, struct str bytes, struct arena *scratch,
		     struct err *err)
{
	struct key key;
	int r = 1;

	if (f->search.n > 0)
		r = has_text(bytes, strbuf_str(&f->search), scratch, err);
	if (r > 0 && f->narrowed)
		r = permission_for_group(f->narrowed, VERB_READ, bytes, scratch, err);
	if (r <= 0)
		return r;
	r = 0;
	if (f->n_selectors == 0)
		return 1;
	arena_reset(scratch);
	if (key_decode(bytes, scratch, &key) < 0)
		return out_of_memory(err);
	for (size_t i = 0; r == 0 && i < f->n_selectors; i++)
		r = selector_match(f->selectors[i], &key, err);
	return r;
}

bool group_filter_state(const struct group_filter *f, const struct group_brief *g, double now)
{
	return (!f->has_older_than || group_brief_age(g, now) * 1e9 >= (double)f->older_than_ns) &&
	       (!f->has_failed || group_brief_failed(g) == f->failed) &&
	       (!f->has_overdue || g->overdue == f->overdue) &&
	       (!f->has_conflict || g->conflict == f->conflict);
}
