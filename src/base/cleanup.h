/* Ownership helpers: one exit for each function, no leak on a new `return`. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdlib.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* DEFINE_CLEANUP(struct group *, group_unref) makes group_unrefp() for CLEANUP(). */
/* NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses. */
#define DEFINE_CLEANUP(type, fn)          \
	static inline void fn##p(type *p) \
	{                                 \
		if (*p)                   \
			fn(*p);           \
	}
/* NOLINTEND(bugprone-macro-parentheses) */

/* Hand a pointer to its next owner; the local cleanup then finds NULL. */
#define TAKE(p)                             \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

static inline void freep(void *p)
{
	free(*(void **)p);
}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
