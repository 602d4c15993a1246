/*
 * State of the store for summed groups beside the groups themselves (private to src/store): the
 * work of a batch, and deadlines. The committer's thread.
 */
#ifndef STORE_SUMMED_WORK_H
#define STORE_SUMMED_WORK_H

#include "base/arena.h"
#include "base/str.h"
#include "push/push.h"

struct contribution;
struct document;
struct group;
struct record;
struct summed;

/* What the committer needs to make changes and rows of summed groups, and those of the batch. */
struct summed_work {
	struct arena arena;
	struct push_builder builder;
	double now;    /* Unix seconds: of the last push, or of what is staged without one */
	double latest; /* the latest `now` so far */
	/* What is shown follows from rows: zeros end when a row says so (summed_head). */
	bool heads_only;
	struct built {
		struct group *group;
		struct push *push;
		struct record *record;
	} * built;
	size_t n_built, cap_built;
	struct staged_document {
		struct group *group;
		struct document *doc;
		struct str body; /* the body of its row */
		uint64_t number;
	} * documents;
	size_t n_documents, cap_documents;
	bool listed;                   /* the documents of the batch are listed */
	struct waiting_source *popped; /* sources whose due step is staged */
	size_t n_popped, cap_popped;
	struct arena bodies;
};

/* A source of a summed group with a deadline. */
struct waiting_source {
	struct contribution *c;
	struct group *group;
};

/* A summed group with series that show zeros because they are new (summed_zero.c). */
struct showing_zeros {
	uint32_t slot;
	uint64_t
		number; /* of the group's life: another one may be in its place and in its memory */
	int64_t due_ns; /* monotonic: when the first of them shows its count; */
	double end;     /* by times of rows, Unix seconds */
};

struct showing_zeros_list {
	struct showing_zeros *v;
	size_t n, cap;
};

#endif
