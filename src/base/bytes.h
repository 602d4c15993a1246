/*
 * Bytes that are shared by reference, between any threads. Only the holder of the only reference
 * may change them; to everybody else they are immutable.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/str.h"

struct bytes {
	atomic_uint refs;
	uint32_t n, cap;
	uint32_t unpacked; /* of a compressed form: length of what it says; 0: not compressed */
	struct bytes *_Atomic forms; /* see bytes_form(); linked by next_form */
	struct bytes *next_form;
	int form;
	atomic_uint idle; /* of a form: calls of bytes_age_forms() since it was last looked up */
	bool detached;    /* counted in bytes_detached() */
	char p[];
};

struct bytes *bytes_new(size_t cap);
struct bytes *bytes_of(struct str s);
/* Both take NULL. bytes_ref() returns b. */
struct bytes *bytes_ref(struct bytes *b);
void bytes_unref(struct bytes *b);
DEFINE_CLEANUP(struct bytes *, bytes_unref)

/*
 * Other forms of the same bytes (compressed, say), made once and kept with them. Whoever holds b
 * may use a form without a reference of its own. bytes_keep_form() takes the caller's reference and
 * returns the form that is kept; if another thread was first, it is that thread's.
 * bytes_add_form() returns a reference, to that form or, if forms have no room, to `made`, which is
 * then not kept, but detached. Call bytes_forget_forms() before b is changed.
 */
struct bytes *bytes_form(struct bytes *b, int form);
struct bytes *bytes_keep_form(struct bytes *b, int form, struct bytes *made);
struct bytes *bytes_add_form(struct bytes *b, int form, struct bytes *made);
void bytes_forget_forms(struct bytes *b);
/*
 * Forgets forms that were not looked up during the last max_idle calls. Only for the sole holder.
 */
void bytes_age_forms(struct bytes *b, unsigned max_idle);

/*
 * Bytes are "detached" when only replies hold them that are still being sent. bytes_detached() says
 * how many there are in the whole process. The holder of a reference calls bytes_detach() when the
 * bytes no longer change, or bytes_leave(), which also drops the reference and counts the bytes
 * only if others hold one. bytes_detached_add() is for memory outside of struct bytes; n < 0 when
 * it is freed.
 */
void bytes_detach(struct bytes *b);
void bytes_leave(struct bytes *b);
void bytes_detached_add(int64_t n);
uint64_t bytes_detached(void);

/*
 * How many bytes the forms of the whole process take, and may take; before any other thread runs,
 * and without that call as many as there are.
 */
uint64_t bytes_forms(void);
void bytes_limit_forms(uint64_t max);

/* True when the caller's reference is the only one and nobody can be taking another. */
static inline bool bytes_sole(struct bytes *b)
{
	return atomic_load_explicit(&b->refs, memory_order_acquire) == 1;
}

static inline struct str bytes_str(const struct bytes *b)
{
	return b ? (struct str){ b->p, b->n } : STR_NULL;
}

#endif
