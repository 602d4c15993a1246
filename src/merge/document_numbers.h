/* Numbers and texts in documents (private to src/merge); see document_format.h. */
#ifndef MERGE_DOCUMENT_NUMBERS_H
#define MERGE_DOCUMENT_NUMBERS_H

#include "merge/internal.h"

void put(struct strbuf *b, uint64_t v);
void put_double(struct strbuf *b, double v);
void put_str(struct strbuf *b, struct str s);
void put_exact(struct strbuf *b, const struct exact *e);
/* Counts of the base may be negative. */
void put_signed(struct strbuf *b, int32_t v);

/* Once `bad` is set, everything that is taken is 0. */
struct reader {
	struct str rest;
	bool bad;
};

const char *take_bytes(struct reader *r, size_t n); /* NULL: there are not as many */
uint64_t take(struct reader *r);
/* Takes a count of items of at least a byte each: a count above the bytes that are left is bad. */
uint32_t take_count(struct reader *r);
double take_double(struct reader *r);
/* Unix seconds, or 0; bad if it cannot be a time. */
double take_time(struct reader *r);
struct str take_str(struct reader *r);
void take_exact(struct reader *r, struct exact *to);
int32_t take_signed(struct reader *r);

/* ---- document_read.c ---- */

/* The document of a contribution up to its parts; borrows from the document. */
struct contribution_head {
	struct source source;
	uint64_t first;
	bool live, ended, returned;
	double pushed_at, failed_at, source_ttl, resets[3];
	struct str why;
	uint32_t n_parts;
};

/* False: it is bad. */
bool take_contribution(struct reader *r, struct merged_group *g, struct contribution_head *ret);
/* Sets all of the head but `live`. */
void contribution_set_head(struct contribution *c, const struct contribution_head *h);
/* Takes a part; the caller owns it. NULL: it is empty, or the document is bad. */
struct part *take_part(struct reader *r, struct merged_group *g, struct merged_family *f);
/* Owns the part, which may be NULL. */
void contribution_load_part(struct merged_group *g, struct contribution *c, struct merged_family *f,
			    struct part *p);
/* Takes a family; the group must have none of that name. */
void take_family(struct reader *r, struct merged_group *g, const struct document *doc);

/* ---- document_write.c ---- */

void put_part(struct strbuf *b, const struct merged_family *f, const struct part *p);

/* ---- document_sums.c ---- */

void put_sums(struct strbuf *b, const struct merged_family *f, const struct sums *s);
void take_sums(struct reader *r, const struct merged_family *f, struct sums *s);
void put_shape(struct strbuf *b, const struct native_shape *s);
struct native_shape take_shape(struct reader *r);
/* NULL is fine. */
void put_native(struct strbuf *b, const struct native *v);
/* The caller frees it. NULL: there is none, or the document is bad. */
struct native *take_native(struct reader *r);

/* ---- document_exemplars.c ---- */

/* NULL is fine, and is read back as NULL. */
void put_exemplars(struct strbuf *b, const struct exemplars *e);
struct exemplars *take_exemplars(struct reader *r);

#endif
