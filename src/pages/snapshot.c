#include "pages/snapshot.h"

#include <stdlib.h>

#include "base/mem.h"
#include "pages/pages.h"

static int list_cmp(const void *pa, const void *pb)
{
	return family_cmp(*(struct shown_family *const *)pa, *(struct shown_family *const *)pb);
}

static size_t drop_holes(struct shown_family **list, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (list[i])
			list[kept++] = list[i];
	return kept;
}

/*
 * Sorts the new families at the end and merges them into the rest. New families are rare, and
 * scrapes are not.
 */
static void sort_list(struct pages *p)
{
	size_t head = drop_holes(p->list, p->n_sorted);
	size_t tail = drop_holes(p->list + p->n_sorted, p->n_list - p->n_sorted);

	if (tail > 0) {
		struct shown_family **new = mem_dup(p->list + p->n_sorted, tail * sizeof(*new));
		size_t at = head + tail, h = head, t = tail;

		qsort(new, tail, sizeof(*new), list_cmp);
		while (t > 0) {
			if (h > 0 && family_cmp(p->list[h - 1], new[t - 1]) > 0)
				p->list[--at] = p->list[--h];
			else
				p->list[--at] = new[--t];
		}
		free(new);
	}
	p->n_list = p->n_sorted = head + tail;
	for (size_t i = 0; i < p->n_list; i++)
		p->list[i]->list_at = i;
}

static bool list_is_sorted(const struct pages *p)
{
	if (p->n_sorted != p->n_list)
		return false;
	for (size_t i = 0; i < p->n_list; i++)
		if (!p->list[i])
			return false;
	return true;
}

static void take_slots(struct snapshot_page *to, const struct page *p)
{
	to->n_slots = p->n;
	to->slots = mem_alloc(p->n * sizeof(*to->slots));
	for (uint32_t i = 0; i < p->n; i++)
		to->slots[i] = (struct snapshot_slot){
			.len = page_len_of(p, i),
			.proto = bytes_ref(lines_proto(p->slots[i])),
		};
}

static void take_kin(const struct pages *p, struct snapshot_page *to, const struct page *page,
		     const struct shown_family *other)
{
	for (uint32_t i = 0; i < to->n_slots; i++) {
		/*
		 * Lines are the first member of an entry. Metrics that the gateway adds have no
		 * kin.
		 */
		const struct entry *e = (const struct entry *)page->slots[i];
		const struct lines *l = kin_lines(p, e, other);

		if (!l)
			continue;
		to->slots[i].kin_text = bytes_ref(l->page->text);
		to->slots[i].kin_lines = lines_text(l);
		to->slots[i].kin_proto = bytes_ref(lines_proto(l));
	}
}

static bool needs_slots(const struct page *p, const struct snapshot_wants *w)
{
	uint32_t n = w->slots == SLOTS_LOSSY     ? p->n_lossy
		     : w->slots == SLOTS_ESCAPED ? p->n_escaped
						 : 0;

	return n > 0 && !bytes_form(p->text, w->form);
}

static void take_pages(const struct pages *p, struct snapshot *snap, const struct shown_family *f,
		       const struct snapshot_wants *w)
{
	const struct shown_family *other = NULL;
	enum kinship kinship = w->kinships ? kin_find(f, &other) : KINSHIP_NONE;

	snap->families[snap->n_families - 1].kinship = kinship;
	for (uint32_t i = 0; i < f->n_pages; i++) {
		const struct page *page = f->pages[i];
		struct snapshot_page *to = &snap->pages[snap->n_pages++];
		bool with_kin = other && !bytes_form(page->text, w->kin_forms[kinship]);

		*to = (struct snapshot_page){ .text = bytes_ref(page->text) };
		if (with_kin || needs_slots(page, w))
			take_slots(to, page);
		if (with_kin)
			take_kin(p, to, page, other);
	}
}

struct snapshot *pages_snapshot(struct pages *p, const struct snapshot_wants *wants)
{
	const struct snapshot_wants none = { .slots = SLOTS_NONE };
	struct snapshot *snap = mem_zalloc(sizeof(*snap));
	size_t n_pages = 0;

	pthread_mutex_lock(&p->lock);
	if (!list_is_sorted(p))
		sort_list(p);
	for (size_t i = 0; i < p->n_list; i++)
		n_pages += p->list[i]->n_pages;
	snap->families = mem_alloc(p->n_list * sizeof(*snap->families));
	snap->pages = mem_alloc(n_pages * sizeof(*snap->pages));
	for (size_t i = 0; i < p->n_list; i++) {
		struct shown_family *f = p->list[i];

		if (f->n_pages == 0)
			continue;
		family_make_header(f);
		snap->families[snap->n_families++] = (struct snapshot_family){
			.header = bytes_ref(f->header),
			.name = { f->header->p + f->header_name_at, f->exposed.n },
			.unescaped = bytes_ref(f->unescaped),
			.type = f->type,
			.first = snap->n_pages,
			.n = f->n_pages,
		};
		take_pages(p, snap, f, wants ? wants : &none);
	}
	pthread_mutex_unlock(&p->lock);
	return snap;
}

void pages_age_forms(struct pages *p, unsigned max_idle)
{
	bool more = true;

	/* A family that moves within the list during this is looked at in the next call. */
	for (size_t i = 0; more; i++) {
		pthread_mutex_lock(&p->lock);
		more = i < p->n_list;
		if (more && p->list[i])
			family_age_forms(p->list[i], max_idle);
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
