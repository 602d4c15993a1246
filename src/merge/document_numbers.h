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

/* Once it is bad, all that is taken is 0. */
struct reader {
	struct str rest;
	bool bad;
};

const char *take_bytes(struct reader *r, size_t n); /* NULL: there are not as many */
uint64_t take(struct reader *r);
/* A count of things that take at least a byte each. */
uint32_t take_count(struct reader *r);
double take_double(struct reader *r);
struct str take_str(struct reader *r);
void take_exact(struct reader *r, struct exact *to);
int32_t take_signed(struct reader *r);

/* ---- document_read.c ---- */

/* What the document of a contribution says of it, before its parts; borrows. */
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
/* All of it but `live`. */
void contribution_set_head(struct contribution *c, const struct contribution_head *h);
/* NULL: there is nothing, or it is bad. */
struct part *take_part(struct reader *r, struct merged_group *g, struct merged_family *f);
/* Takes the part, NULL too. */
void contribution_load_part(struct merged_group *g, struct contribution *c, struct merged_family *f,
			    struct part *p);
/* There is none of that name in the group. */
void take_family(struct reader *r, struct merged_group *g, const struct document *doc);
/* NULL: there is none, or it was dropped. */
struct merged_family *family_by_id(const struct merged_group *g, uint64_t id);

/* ---- document_write.c ---- */

void put_part(struct strbuf *b, const struct merged_family *f, const struct part *p);

/* ---- document_sums.c ---- */

void put_sums(struct strbuf *b, const struct merged_family *f, const struct sums *s);
void take_sums(struct reader *r, const struct merged_family *f, struct sums *s);
void put_shape(struct strbuf *b, const struct native_shape *s);
struct native_shape take_shape(struct reader *r);
/* NULL is fine. */
void put_native(struct strbuf *b, const struct native *v);
/* To be freed; NULL: there is none, or what there is is bad. */
struct native *take_native(struct reader *r);

/* ---- document_exemplars.c ---- */

/* NULL is fine, and is taken as NULL. */
void put_exemplars(struct strbuf *b, const struct exemplars *e);
struct exemplars *take_exemplars(struct reader *r);

#endif
