/*
 * The exposition text of a family, in pages of the whole lines of entries (private to pages and
 * store). A page's bytes are shared with scrapes by reference: while a scrape holds them they are
 * copied before a change, otherwise changed in place. So a push costs what the pages that it
 * touches hold, a scrape copies nothing, and every sample line is in memory once.
 *
 * All of it under the lock of the pages (pages.h); only the committer changes anything. The order
 * of entries inside a family is ours to choose: a new one goes where there is room.
 */
#ifndef PAGES_PAGE_H
#define PAGES_PAGE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

struct lines;
struct shown_family;

/* A larger text has a page of its own. */
enum { PAGE_SIZE_MAX = 8 * 1024 };

struct page {
	struct bytes *text;
	struct lines **slots; /* in the order of their text */
	uint16_t *lens;       /* of their text; see page_len_of() */
	uint32_t n, cap;
	uint32_t n_lossy;   /* slots whose text does not say all that was pushed */
	uint32_t n_escaped; /* of these: slots whose text holds an escaped name */
	uint32_t index;     /* in the family's pages */
};

/* The length of a slot's text. One larger than a page is alone in its page. */
static inline uint32_t page_len_of(const struct page *p, uint32_t slot)
{
	return p->n == 1 ? p->text->n : p->lens[slot];
}

/* Publishes lines that are not staged any more: their text is copied into a page of the family. */
void pages_add(struct shown_family *f, struct lines *s, struct str text);
/*
 * Puts s in the place of old, which is no longer published afterwards unless it is s itself. Like
 * pages_remove(), returns the length of the text that is gone.
 */
uint32_t pages_replace(struct shown_family *f, struct lines *old, struct lines *s, struct str text);
uint32_t pages_remove(struct shown_family *f, struct lines *s);
/* Call when something else than the page's text has changed of which its forms were made. */
void page_forget_forms(struct page *p);
/* pages_age_forms() for one family. */
void family_age_forms(struct shown_family *f, unsigned max_idle);
void pages_free(struct shown_family *f);

/*
 * Call some steps before lines of the page are replaced: brings what they are looked up in into the
 * cache. NULL is fine.
 */
void page_prefetch(const struct page *p);

/* The bytes of published lines; good until the page is changed. */
struct str page_text(const struct page *p, const struct lines *s);

#endif
