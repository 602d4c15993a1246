#include "pages/page.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "pages/entry.h"
#include "pages/family.h"

enum { PAGE_CAP_MIN = 128 };

static uint32_t slot_find(const struct page *p, const struct lines *s, uint32_t *ret_at)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < p->n; i++) {
		if (p->slots[i] == s) {
			*ret_at = at;
			return i;
		}
		at += p->lens[i];
	}
	assert(!"the lines are not in their page");
	abort();
}

void page_prefetch(const struct page *p)
{
	enum { LINE = 64 };

	if (!p)
		return;
	/* The processor itself fetches what follows these. */
	__builtin_prefetch(p->slots);
	__builtin_prefetch((const char *)p->slots + LINE);
	__builtin_prefetch(p->lens);
	__builtin_prefetch(p->text);
}

struct str page_text(const struct page *p, const struct lines *s)
{
	uint32_t at;
	uint32_t slot = slot_find(p, s, &at);

	return (struct str){ p->text->p + at, page_len_of(p, slot) };
}

/* Gives the text this capacity. The bytes are copied if a scrape holds them. */
static void set_capacity(struct page *p, size_t cap)
{
	struct bytes *old = p->text;

	if (old && bytes_sole(old)) {
		if (old->cap == cap)
			return;
		p->text = mem_realloc(old, sizeof(*old) + cap);
		p->text->cap = (uint32_t)cap;
		return;
	}
	p->text = bytes_new(cap);
	if (old) {
		copy_bytes(p->text->p, old->p, old->n);
		p->text->n = old->n;
		bytes_leave(old);
	}
}

/* Before a change: makes sure that no scrape holds the bytes and that there is room for n. */
static void make_writable(struct page *p, size_t n)
{
	size_t cap = p->text ? p->text->cap : PAGE_CAP_MIN;

	while (cap < n && cap < PAGE_SIZE_MAX)
		cap += cap / 2;
	if (cap > PAGE_SIZE_MAX && n <= PAGE_SIZE_MAX)
		cap = PAGE_SIZE_MAX;
	if (n > PAGE_SIZE_MAX)
		cap = n;
	set_capacity(p, cap);
	bytes_forget_forms(p->text);
}

void page_forget_forms(struct page *p)
{
	make_writable(p, p->text->n);
}

/* A page that has lost most of its text gives memory back. */
static void trim(struct page *p)
{
	if (p->text->cap > PAGE_CAP_MIN * 2 && p->text->n < p->text->cap / 4)
		set_capacity(p, p->text->cap / 2);
}

static struct page *page_new(struct shown_family *f)
{
	struct page *p = mem_zalloc(sizeof(*p));

	if (f->n_pages == f->cap_pages) {
		f->cap_pages = f->cap_pages ? f->cap_pages * 2 : 1;
		f->pages = mem_realloc(f->pages, f->cap_pages * sizeof(*f->pages));
	}
	p->index = f->n_pages;
	f->pages[f->n_pages++] = p;
	return p;
}

static void page_free(struct shown_family *f, struct page *p)
{
	struct page *last = f->pages[--f->n_pages];

	f->pages[p->index] = last;
	last->index = p->index;
	if (f->open == p)
		f->open = NULL;
	bytes_leave(p->text);
	free(p->slots);
	free(p->lens);
	free(p);
}

static size_t page_len(const struct page *p)
{
	return p->text ? p->text->n : 0;
}

static void count_in(struct page *p, const struct lines *s)
{
	p->n_lossy += s->lossy;
	p->n_escaped += s->escaped;
}

static void count_out(struct page *p, const struct lines *s)
{
	p->n_lossy -= s->lossy;
	p->n_escaped -= s->escaped;
}

static void append(struct page *p, struct lines *s, struct str text)
{
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap + p->cap / 4 + 1 : 1;
		p->slots = mem_realloc(p->slots, p->cap * sizeof(*p->slots));
		p->lens = mem_realloc(p->lens, p->cap * sizeof(*p->lens));
	}
	make_writable(p, page_len(p) + text.n);
	copy_bytes(p->text->p + p->text->n, text.p, text.n);
	p->text->n += (uint32_t)text.n;
	p->slots[p->n] = s;
	p->lens[p->n++] = (uint16_t)text.n;
	count_in(p, s);
	s->page = p;
}

/* Nothing is added to a page that is full. */
static void close_page(struct page *p)
{
	p->cap = p->n;
	p->slots = mem_realloc(p->slots, p->cap * sizeof(*p->slots));
	p->lens = mem_realloc(p->lens, p->cap * sizeof(*p->lens));
}

/* Begins a page with room for half as many slots as the full page before it had. */
static void open_page(struct page *p, uint32_t n)
{
	p->cap = n / 2 + 1;
	p->slots = mem_alloc(p->cap * sizeof(*p->slots));
	p->lens = mem_alloc(p->cap * sizeof(*p->lens));
}

void pages_add(struct shown_family *f, struct lines *s, struct str text)
{
	struct page *p = f->open;

	static_assert(PAGE_SIZE_MAX <= UINT16_MAX, "lengths in struct page");
	assert(text.n > 0);
	if (!p || page_len(p) + text.n > PAGE_SIZE_MAX) {
		if (p)
			close_page(p);
		p = page_new(f);
		/* A page with one large text gets no second text. */
		if (text.n < PAGE_SIZE_MAX / 2) {
			if (f->open)
				open_page(p, f->open->n);
			f->open = p;
		}
	}
	append(p, s, text);
}

static void splice(struct page *p, uint32_t at, uint32_t old_len, struct str text)
{
	size_t n = p->text->n;
	size_t new_n = n - old_len + text.n;

	make_writable(p, new_n > n ? new_n : n);
	if (text.n != old_len)
		move_bytes(p->text->p + at + text.n, p->text->p + at + old_len, n - at - old_len);
	copy_bytes(p->text->p + at, text.p, text.n);
	p->text->n = (uint32_t)new_n;
	trim(p);
}

/* A nearly empty page is joined with the open one. */
static void rebalance(struct shown_family *f, struct page *p)
{
	struct page *open = f->open;

	if (p->n == 0) {
		page_free(f, p);
		return;
	}
	if (p == open || page_len(p) >= PAGE_SIZE_MAX / 4)
		return;
	if (!open) {
		f->open = p;
		return;
	}
	if (page_len(open) + page_len(p) <= PAGE_SIZE_MAX) {
		const char *from = p->text->p;

		for (uint32_t i = 0; i < p->n; i++) {
			append(open, p->slots[i], (struct str){ from, p->lens[i] });
			from += p->lens[i];
		}
		page_free(f, p);
	} else if (page_len(p) < page_len(open)) {
		f->open = p;
	}
}

uint32_t pages_remove(struct shown_family *f, struct lines *s)
{
	struct page *p = s->page;
	uint32_t at;
	uint32_t slot = slot_find(p, s, &at);
	uint32_t len = page_len_of(p, slot);

	s->page = NULL;
	splice(p, at, len, STR_NULL);
	count_out(p, s);
	p->n--;
	move_bytes(p->slots + slot, p->slots + slot + 1, (p->n - slot) * sizeof(*p->slots));
	move_bytes(p->lens + slot, p->lens + slot + 1, (p->n - slot) * sizeof(*p->lens));
	rebalance(f, p);
	return len;
}

/* A repeated push usually differs in the value, at the end, which is compared first. */
static bool is_same_text(struct str a, struct str b)
{
	enum { END = 16 };
	size_t rest = a.n > END ? a.n - END : 0;

	return a.n == b.n && memcmp(a.p + rest, b.p + rest, a.n - rest) == 0 &&
	       memcmp(a.p, b.p, rest) == 0;
}

uint32_t pages_replace(struct shown_family *f, struct lines *old, struct lines *s, struct str text)
{
	struct page *p = old->page;
	uint32_t at;
	uint32_t slot = slot_find(p, old, &at);
	uint32_t len = page_len_of(p, slot);

	if (p->n > 1 && (size_t)p->text->n - len + text.n > PAGE_SIZE_MAX) {
		pages_remove(f, old);
		pages_add(f, s, text);
		return len;
	}
	/* Forms that are made of the text and the type stay valid if these stay the same. */
	if (old->lossy || s->lossy || old->type != s->type ||
	    !is_same_text(text, (struct str){ p->text->p + at, len }))
		splice(p, at, len, text);
	p->lens[slot] = (uint16_t)text.n;
	p->slots[slot] = s;
	count_out(p, old);
	count_in(p, s);
	old->page = NULL;
	s->page = p;
	return len;
}

void family_age_forms(struct shown_family *f, unsigned max_idle)
{
	for (uint32_t i = 0; i < f->n_pages; i++)
		if (bytes_sole(f->pages[i]->text))
			bytes_age_forms(f->pages[i]->text, max_idle);
}

void pages_free(struct shown_family *f)
{
	while (f->n_pages)
		page_free(f, f->pages[f->n_pages - 1]);
	free(f->pages);
	f->pages = NULL;
	f->cap_pages = 0;
}
