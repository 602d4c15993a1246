/* The grammar of selectors (private to selector.c): text -> name, operator and value of each
 * matcher. */
#ifndef METRICS_SELECTOR_SCAN_H
#define METRICS_SELECTOR_SCAN_H

#include "base/err.h"
#include "base/str.h"

enum matcher_op { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_REGEX, MATCH_NOT_REGEX };

struct scanned_matcher {
	struct strbuf name, value; /* unescaped */
	enum matcher_op op;
};

struct selector_scan {
	struct str text;
	size_t at; /* 0 to begin */
};

/* 1: the next matcher is in *m, 0: the selector ended before, -1: *err. */
int selector_scan_next(struct selector_scan *s, struct scanned_matcher *m, struct err *err);
void scanned_matcher_done(struct scanned_matcher *m);

#endif
