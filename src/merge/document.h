/*
 * A summed group as documents, the form in which the log keeps it: one for each contribution, one
 * for each family with its series and its base. A document is the state of one of these, never an
 * operation and never a total; so the last document of each id is all that is needed, in any order.
 */
#ifndef MERGE_DOCUMENT_H
#define MERGE_DOCUMENT_H

#include "merge/group.h"

/* bytes: borrowed for the call; empty: the document is gone. */
typedef void (*document_fn)(void *arg, struct document *doc, struct str bytes);

/*
 * merged_documents() calls fn for the documents that have changed since the last merged_commit();
 * to be called once, before the next one. merged_all_documents() writes all documents.
 */
void merged_documents(struct merged_group *g, document_fn fn, void *arg);
void merged_all_documents(struct merged_group *g, document_fn fn, void *arg);
/* Calls fn for each document without writing it. */
void merged_each_document(struct merged_group *g, void (*fn)(void *arg, struct document *doc),
			  void *arg);

/*
 * Loads a new group: all documents of families, then all of contributions, then merged_load_end().
 * -1: *err, ERR_STORAGE: the document is damaged.
 */
bool document_is_family(struct str bytes);
int merged_load(struct merged_group *g, const struct document *doc, struct str bytes,
		struct err *err);
void merged_load_end(struct merged_group *g);

/*
 * Puts documents that other gateways have written over those of the group. Call merged_apply() for
 * each document that changed, with its newest bytes: first those that are gone (bytes empty), then
 * families, then contributions; then merged_news_done(). It costs what these documents hold, and
 * can be undone like pushes. -1: ERR_STORAGE, the document is damaged or does not follow from what
 * the group has; all has to be undone.
 */
struct merged_news {
	struct merged_group *group;
	double now;     /* Unix seconds, by the clock of the times in documents */
	int64_t now_ns; /* monotonic: the same moment */
	/* Called for each document that is now in another row, or is gone (there false). */
	void (*said)(void *arg, struct document *doc, bool there);
	void *arg;
	struct table by_id; /* contributions by id, filled when the first is looked for; zeroed at
			       first */
	bool has_ids;
};

int merged_apply(struct merged_news *n, uint64_t id, struct str bytes, struct err *err);
void merged_news_done(struct merged_news *n);

#endif
