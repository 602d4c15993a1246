/*
 * A summed group as documents, which is how it is kept: one for each contribution, one for each
 * family with its series and its base. A document is the state of what it is about, never an
 * operation and never a total; so the last one of each id is all that is needed, in any order.
 */
#ifndef MERGE_DOCUMENT_H
#define MERGE_DOCUMENT_H

#include "merge/group.h"

/* bytes empty: the document is gone. Borrowed for the call. */
typedef void (*document_fn)(void *arg, struct document *doc, struct str bytes);

/* What has changed since the last merged_commit(); once, before the next one. Or all there is. */
void merged_documents(struct merged_group *g, document_fn fn, void *arg);
void merged_all_documents(struct merged_group *g, document_fn fn, void *arg);
/* All of them, as they are known. */
void merged_each_document(struct merged_group *g, void (*fn)(void *arg, struct document *doc),
			  void *arg);

/*
 * Into a new group: all documents of families, then all of contributions, then merged_load_end().
 * -1: *err, ERR_STORAGE: the document is damaged.
 */
bool document_is_family(struct str bytes);
int merged_load(struct merged_group *g, const struct document *doc, struct str bytes,
		struct err *err);
void merged_load_end(struct merged_group *g);

/*
 * What others have written, over what the group has: of each document what is said now, first those
 * that are gone (bytes empty), then families, then contributions; then merged_news_done(). It costs
 * what these hold, and can be undone like pushes. -1: as above, or it does not go on from what the
 * group has; all has to be undone.
 */
struct merged_news {
	struct merged_group *group;
	double now;     /* Unix seconds, by the clock of what is said */
	int64_t now_ns; /* monotonic: the same moment */
	/* Of each that another row says now, or that is gone (there false). */
	void (*said)(void *arg, struct document *doc, bool there);
	void *arg;
	struct table by_id; /* contributions, once they are looked for so; zeroed at first */
	bool has_ids;
};

int merged_apply(struct merged_news *n, uint64_t id, struct str bytes, struct err *err);
void merged_news_done(struct merged_news *n);

#endif
