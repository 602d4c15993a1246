/*
 * Shared by document_apply*.c (private to src/merge), which put documents that other gateways have
 * written over those of a group. No clock, no store.
 */
#ifndef MERGE_DOCUMENT_APPLY_H
#define MERGE_DOCUMENT_APPLY_H

#include "merge/document.h"
#include "merge/document_format.h"

struct reader;

/* Removes the contribution or family that has this id, since a new document has taken the id. */
void merged_news_make_free(struct merged_news *n, uint64_t id);

/* Applies the document of a family; r is behind its head. */
void merged_news_family(struct merged_news *n, struct reader *r, const struct document *doc);

#endif
