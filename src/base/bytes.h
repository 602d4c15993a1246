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

/*
 * What nobody keeps, and is only there until those have sent it who hold it, is counted, for the
 * whole process: bytes_detached() of it are there now. bytes_detach() counts bytes that do not
 * change any more, by who holds a reference; bytes_leave() also drops it, and counts them only if
 * others hold them. bytes_detached_add() is for memory that is not in a struct bytes; n < 0 when it
 * is freed.
 */
void bytes_detach(struct bytes *b);
void bytes_leave(struct bytes *b);
void bytes_detached_add(int64_t n);
uint64_t bytes_detached(void);

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
