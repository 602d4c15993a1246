#include "pages/snapshot.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "metrics/shard.h"
#include "pages/pages.h"

/* A snapshot that is being taken, under the lock. */
struct taking {
	const struct pages *pages;
	const struct snapshot_wants *wants;
	struct snapshot *snap;
	bool *meant; /* of the current page: which slots are wanted; NULL: all of them */
	uint32_t n_meant, cap_meant;
};

/* ---- shards ---- */

/* The group that the lines belong to. */
static const struct group *group_of(const struct taking *t, const struct shown_family *f,
				    const struct lines *l)
{
	/* Lines are the first member of an entry. */
	return f->of_groups ? t->pages->groups[l->slot] : ((const struct entry *)l)->record->group;
}

static void find_meant(struct taking *t, const struct shown_family *f, const struct page *page)
{
	t->n_meant = page->n;
	if (t->wants->shard.n == 0)
		return;
	if (page->n > t->cap_meant) {
		t->cap_meant = page->n;
		t->meant = mem_realloc(t->meant, page->n * sizeof(*t->meant));
	}
	t->n_meant = 0;
	for (uint32_t i = 0; i < page->n; i++) {
		const struct group *g = group_of(t, f, page->slots[i]);

		t->meant[i] = shard_has(t->wants->shard, shard_hash(group_key(g)));
		t->n_meant += t->meant[i];
	}
}

/* Adjacent texts become one range. */
static void take_ranges(struct taking *t, struct snapshot_page *to, const struct page *page)
{
	struct snapshot_range *last = NULL;
	uint32_t at = 0;

	to->ranges = mem_alloc(t->n_meant * sizeof(*to->ranges));
	for (uint32_t i = 0; i < page->n; i++) {
		uint32_t len = page_len_of(page, i);

		if (t->meant[i] && last && last->at + last->n == at) {
			last->n += len;
		} else if (t->meant[i]) {
			last = &to->ranges[to->n_ranges++];
			*last = (struct snapshot_range){ at, len };
		}
		at += len;
	}
}

/* Without the lock: the ranges of a page become its text. */
static void cut(struct snapshot_page *p)
{
	struct bytes *text;
	size_t n = 0;

	if (!p->ranges)
		return;
	for (uint32_t i = 0; i < p->n_ranges; i++)
		n += p->ranges[i].n;
	text = bytes_new(n);
	for (uint32_t i = 0; i < p->n_ranges; i++) {
		copy_bytes(text->p + text->n, p->text->p + p->ranges[i].at, p->ranges[i].n);
		text->n += p->ranges[i].n;
	}
	bytes_detach(text);
	bytes_unref(p->text);
	p->text = text;
	free(p->ranges);
	p->ranges = NULL;
}

/* ---- taking ---- */

static bool is_meant(const struct taking *t, uint32_t slot)
{
	return t->wants->shard.n == 0 || t->meant[slot];
}

static void take_slots(struct taking *t, struct snapshot_page *to, const struct page *p)
{
	to->slots = mem_alloc(t->n_meant * sizeof(*to->slots));
	for (uint32_t i = 0; i < p->n; i++)
		if (is_meant(t, i))
			to->slots[to->n_slots++] = (struct snapshot_slot){
				.len = page_len_of(p, i),
				.proto = bytes_ref(lines_proto(p->slots[i])),
			};
}

static void take_kin(struct taking *t, struct snapshot_page *to, const struct page *page,
		     const struct shown_family *other)
{
	struct snapshot_slot *slot = to->slots;

	for (uint32_t i = 0; i < page->n; i++) {
		/* Metrics that the gateway adds have no kin. */
		const struct entry *e = (const struct entry *)page->slots[i];
		const struct lines *l;

		if (!is_meant(t, i))
			continue;
		l = kin_lines(t->pages, e, other);
		if (l) {
			slot->kin_text = bytes_ref(l->page->text);
			slot->kin_lines = lines_text(l);
			slot->kin_proto = bytes_ref(lines_proto(l));
		}
		slot++;
	}
}

/* Whether the page is wanted as a whole and has that form already. */
static bool is_encoded(const struct taking *t, const struct page *page, int form)
{
	return t->n_meant == page->n && bytes_form(page->text, form);
}

static bool needs_slots(const struct taking *t, const struct page *p)
{
	uint32_t n = t->wants->slots == SLOTS_LOSSY     ? p->n_lossy
		     : t->wants->slots == SLOTS_ESCAPED ? p->n_escaped
							: 0;

	return n > 0 && !is_encoded(t, p, t->wants->form);
}

static void take_pages(struct taking *t, const struct shown_family *f, struct snapshot_family *to)
{
	const struct shown_family *other = NULL;

	to->kinship = t->wants->kinships ? kin_find(f, &other) : KINSHIP_NONE;
	to->first = t->snap->n_pages;
	for (uint32_t i = 0; i < f->n_pages; i++) {
		const struct page *page = f->pages[i];
		struct snapshot_page *p = &t->snap->pages[t->snap->n_pages];
		bool with_kin;

		find_meant(t, f, page);
		if (t->n_meant == 0)
			continue;
		t->snap->n_pages++;
		*p = (struct snapshot_page){ .text = bytes_ref(page->text) };
		if (t->n_meant < page->n)
			take_ranges(t, p, page);
		with_kin = other && !is_encoded(t, page, t->wants->kin_forms[to->kinship]);
		if (with_kin || needs_slots(t, page))
			take_slots(t, p, page);
		if (with_kin)
			take_kin(t, p, page, other);
	}
	to->n = t->snap->n_pages - to->first;
}

static void take_family(struct taking *t, struct shown_family *f)
{
	struct snapshot_family *to = &t->snap->families[t->snap->n_families];

	*to = (struct snapshot_family){ .type = f->type };
	take_pages(t, f, to);
	if (to->n == 0)
		return;
	family_make_header(f);
	to->header = bytes_ref(f->header);
	to->name = (struct str){ f->header->p + f->header_name_at, f->exposed.n };
	to->unescaped = bytes_ref(f->unescaped);
	t->snap->n_families++;
}

/*
 * Fetches what later families need into the cache: of many families, each with its page, nothing is
 * there.
 */
static void look_ahead(const struct family_list *l, size_t i)
{
	enum { FAMILIES = 32, LISTS = 24, PAGES = 16, TEXTS = 8 };
	const struct shown_family *f;

	if (i + FAMILIES < l->n)
		family_prefetch(l->at[i + FAMILIES]);
	if (i + LISTS < l->n) {
		f = l->at[i + LISTS];
		__builtin_prefetch(f->pages);
		__builtin_prefetch(f->header);
	}
	if (i + PAGES < l->n && l->at[i + PAGES]->n_pages > 0)
		__builtin_prefetch(l->at[i + PAGES]->pages[0]);
	if (i + TEXTS < l->n && l->at[i + TEXTS]->n_pages > 0)
		__builtin_prefetch(l->at[i + TEXTS]->pages[0]->text, 1);
}

static size_t count_pages(const struct family_list *l)
{
	enum { AHEAD = 16 };
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (i + AHEAD < l->n)
			__builtin_prefetch(&l->at[i + AHEAD]->n_pages);
		n += l->at[i]->n_pages;
	}
	return n;
}

struct snapshot *pages_snapshot(struct pages *p, const struct snapshot_wants *wants)
{
	const struct snapshot_wants none = { .slots = SLOTS_NONE };
	struct snapshot *snap = mem_zalloc(sizeof(*snap));
	struct taking t = { .pages = p, .wants = wants ? wants : &none, .snap = snap };
	struct family_list *list = &p->families;
	size_t n_pages;

	pthread_mutex_lock(&p->lock);
	family_list_sort(list);
	n_pages = count_pages(list);
	snap->families = mem_alloc(list->n * sizeof(*snap->families));
	snap->pages = mem_alloc(n_pages * sizeof(*snap->pages));
	for (size_t i = 0; i < list->n; i++) {
		look_ahead(list, i);
		take_family(&t, list->at[i]);
	}
	pthread_mutex_unlock(&p->lock);
	free(t.meant);
	for (size_t i = 0; i < snap->n_pages; i++)
		cut(&snap->pages[i]);
	return snap;
}

void pages_age_forms(struct pages *p, unsigned max_idle)
{
	bool more = true;

	/* A family that moves within the list during this is looked at in the next call. */
	for (size_t i = 0; more; i++) {
		pthread_mutex_lock(&p->lock);
		more = i < p->families.n;
		if (more && p->families.at[i])
			family_age_forms(p->families.at[i], max_idle);
		pthread_mutex_unlock(&p->lock);
	}
}

static void page_done(struct snapshot_page *p)
{
	bytes_unref(p->text);
	for (uint32_t i = 0; i < p->n_slots; i++) {
		bytes_unref(p->slots[i].proto);
		bytes_unref(p->slots[i].kin_text);
		bytes_unref(p->slots[i].kin_proto);
	}
	free(p->slots);
}

void snapshot_free(struct snapshot *snap)
{
	if (!snap)
		return;
	for (size_t i = 0; i < snap->n_families; i++) {
		bytes_unref(snap->families[i].header);
		bytes_unref(snap->families[i].unescaped);
	}
	for (size_t i = 0; i < snap->n_pages; i++)
		page_done(&snap->pages[i]);
	free(snap->families);
	free(snap->pages);
	free(snap);
}
