/*
 * Grouping keys: the label set that a push path names (/metrics/job/J{/LABEL/VALUE}).
 */
#ifndef METRICS_KEY_H
#define METRICS_KEY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "metrics/metric.h"

struct key {
	struct label *labels; /* sorted bytewise by name, names unique, `job` always among them */
	uint32_t n_labels;
	bool plain; /* as in struct metric */
};

/*
 * Pairs of a push path that are not part of its key but say what is to be done with the group:
 * __ttl__/15m. Their names begin and end with "__"; which of them exist is checked where they are
 * read (config/group_options.h).
 */
struct key_options {
	struct label *pairs; /* sorted and unique like a key's labels, names with their "__" */
	uint32_t n;
};

struct key_limits {
	uint32_t max_labels, max_label_name, max_label_value;
	bool utf8_names; /* --push.enable-utf8-names: any UTF-8 label name, U__ decoding */
};

/*
 * Parses what follows "/metrics/job" in the percent-DEcoded path: "/J/a/b" or "@base64/Sg==/a/b".
 * The path's job wins over a label called job, and of several equal names the last one wins; a U__
 * name that is irregular is taken literally. The results live in the arena. -1 is ERR_INVALID: in
 * the Go gateway's words, or in ours for a key that is not valid UTF-8, has a name that begins with
 * "__" after decoding, or cannot be exposed in every form. The Go gateway creates such groups, and
 * cannot be scraped from then on. Without ret_options (NULL) an option is a name that begins with
 * "__", too.
 */
int key_parse(struct str rest, const struct key_limits *lim, struct arena *a, struct key *ret_key,
	      struct key_options *ret_options, struct err *err);

/*
 * Whether the labels can be exposed in every form (metrics/exposable.h), as those of key_parse()
 * can. -1: ERR_INVALID.
 */
int key_check_names(const struct key *key, struct err *err);

/*
 * The key with further labels (sorted and unique, too), which take the place of labels with the
 * same names. With n 0 it is the key itself. -1: the arena is full.
 */
int key_put(const struct key *key, const struct label *labels, uint32_t n, struct arena *a,
	    struct key *ret_key);

/*
 * The canonical bytes of a key, also how the database stores it: name 0xFF value 0xFF for each
 * label in order. 0xFF never occurs in UTF-8.
 */
void key_encode(const struct key *key, struct strbuf *out);
/* The value of a label in such bytes, borrowed; empty when it is not there. */
struct str key_value(struct str bytes, struct str name);
/*
 * The reverse of key_encode(); borrows from bytes. -1 when they are not a canonical key (a damaged
 * database).
 */
int key_decode(struct str bytes, struct arena *a, struct key *ret_key);
/* The same for labels without a job, or no labels at all. */
int key_decode_labels(struct str bytes, struct arena *a, struct key *ret_key);

#endif
