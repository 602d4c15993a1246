#include "base/bytes.h"

#include <assert.h>

#include "base/array.h"
#include "base/mem.h"

static atomic_llong detached;
static atomic_ullong in_forms;
static uint64_t max_in_forms = UINT64_MAX;

void bytes_detached_add(int64_t n)
{
	atomic_fetch_add_explicit(&detached, n, memory_order_relaxed);
}

uint64_t bytes_detached(void)
{
	return (uint64_t)atomic_load_explicit(&detached, memory_order_relaxed);
}

uint64_t bytes_forms(void)
{
	return atomic_load_explicit(&in_forms, memory_order_relaxed);
}

void bytes_limit_forms(uint64_t max)
{
	max_in_forms = max;
}

struct bytes *bytes_new(size_t cap)
{
	assert(cap <= UINT32_MAX);
	struct bytes *b = mem_alloc(sizeof(*b) + cap);

	atomic_init(&b->refs, 1);
	atomic_init(&b->forms, NULL);
	b->n = b->unpacked = 0;
	b->detached = false;
	b->cap = (uint32_t)cap;
	return b;
}

struct bytes *bytes_of(struct str s)
{
	struct bytes *b = bytes_new(s.n);

	copy_bytes(b->p, s.p, s.n);
	b->n = (uint32_t)s.n;
	return b;
}

struct bytes *bytes_ref(struct bytes *b)
{
	if (b)
		atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

/* NOLINTBEGIN(misc-no-recursion): a form has no forms. */
void bytes_unref(struct bytes *b)
{
	/* acq_rel: the free comes after all reads by other holders. */
	if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
		return;
	bytes_forget_forms(b);
	if (b->detached)
		bytes_detached_add(-(int64_t)b->n);
	free(b);
}

void bytes_detach(struct bytes *b)
{
	if (b->detached)
		return;
	b->detached = true;
	bytes_detached_add(b->n);
}

void bytes_leave(struct bytes *b)
{
	if (b && !bytes_sole(b))
		bytes_detach(b);
	bytes_unref(b);
}

struct bytes *bytes_form(struct bytes *b, int form)
{
	struct bytes *f = atomic_load_explicit(&b->forms, memory_order_acquire);

	while (f && f->form != form)
		f = f->next_form;
	/* Written only when needed: other threads read the same cache line. */
	if (f && atomic_load_explicit(&f->idle, memory_order_relaxed) != 0)
		atomic_store_explicit(&f->idle, 0, memory_order_relaxed);
	return f;
}

struct bytes *bytes_keep_form(struct bytes *b, int form, struct bytes *made)
{
	struct bytes *first = atomic_load_explicit(&b->forms, memory_order_acquire);

	made->form = form;
	atomic_init(&made->idle, 0);
	do {
		struct bytes *kept = first;

		while (kept && kept->form != form)
			kept = kept->next_form;
		if (kept) {
			bytes_unref(made);
			return kept;
		}
		made->next_form = first;
	} while (!atomic_compare_exchange_weak_explicit(
		&b->forms, &first, made, memory_order_acq_rel, memory_order_acquire));
	atomic_fetch_add_explicit(&in_forms, made->n, memory_order_relaxed);
	return made;
}

struct bytes *bytes_add_form(struct bytes *b, int form, struct bytes *made)
{
	if (bytes_forms() + made->n <= max_in_forms)
		return bytes_ref(bytes_keep_form(b, form, made));
	bytes_detach(made);
	return made;
}

/* It is kept no longer. */
static void leave_form(struct bytes *f)
{
	atomic_fetch_sub_explicit(&in_forms, f->n, memory_order_relaxed);
	bytes_leave(f);
}

void bytes_forget_forms(struct bytes *b)
{
	struct bytes *f = atomic_exchange_explicit(&b->forms, NULL, memory_order_acq_rel);

	while (f) {
		struct bytes *next = f->next_form;

		leave_form(f);
		f = next;
	}
}

void bytes_age_forms(struct bytes *b, unsigned max_idle)
{
	struct bytes *kept = NULL, *next;

	for (struct bytes *f = atomic_exchange(&b->forms, NULL); f; f = next) {
		next = f->next_form;
		if (atomic_fetch_add_explicit(&f->idle, 1, memory_order_relaxed) >= max_idle) {
			leave_form(f);
			continue;
		}
		f->next_form = kept;
		kept = f;
	}
	atomic_store(&b->forms, kept);
}
/* NOLINTEND(misc-no-recursion) */
