/*
 * What the files document_apply*.c share (private to src/merge): a document that others have
 * written is put over what a group has. Pure functions over the group.
 */
#ifndef MERGE_DOCUMENT_APPLY_H
#define MERGE_DOCUMENT_APPLY_H

#include "merge/document.h"
#include "merge/document_format.h"

struct reader;

/* A number that was given again when what had it was gone. */
void merged_news_make_free(struct merged_news *n, uint64_t id);

/* The rest of the document of a family, behind its head. */
void merged_news_family(struct merged_news *n, struct reader *r, const struct document *doc);

#endif
