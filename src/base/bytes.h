/*
 * Bytes that are shared by reference. Whoever holds the only reference may change them; everybody
 * else finds them immutable. Any thread may hold a reference.
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
	char p[];
};

struct bytes *bytes_new(size_t cap);
struct bytes *bytes_of(struct str s);
/* Both take NULL. bytes_ref() returns b. */
struct bytes *bytes_ref(struct bytes *b);
void bytes_unref(struct bytes *b);
DEFINE_CLEANUP(struct bytes *, bytes_unref)

/*
 * Other forms of the same bytes, made once and kept with them: compressed, say. Borrowed as long as
 * b is held. bytes_add_form() takes the caller's reference and returns the form that is kept, which
 * is another thread's if that one was first. Whoever changes b forgets its forms first.
 */
struct bytes *bytes_form(struct bytes *b, int form);
struct bytes *bytes_add_form(struct bytes *b, int form, struct bytes *made);
void bytes_forget_forms(struct bytes *b);
/*
 * Forgets the forms that have not been looked up since before the last max_idle calls. For who
 * holds the only reference.
 */
void bytes_age_forms(struct bytes *b, unsigned max_idle);

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
