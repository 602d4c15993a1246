/*
 * Makes a push that can be committed from the bytes of a request: the key, decompression, the
 * body's format, the rules that one push can break. Used by any thread that has a push_reader.
 */
#ifndef API_READ_PUSH_H
#define API_READ_PUSH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/decompress.h"
#include "expose/counters.h"
#include "metrics/key.h"
#include "push/push.h"

struct config;
struct current_rules;
struct group_rule;

/* The parts of a request that this needs; all are borrowed. */
struct push_request {
	enum push_mode mode;
	bool dry_run;
	struct str key_path;       /* the part behind "/metrics/job" */
	enum group_mode said_mode; /* the prefix in front of that; GROUP_PLAIN: none */
	struct str body, content_type;
	enum content_coding coding;
	const struct access_entry *entry; /* whose labels complete the key; NULL: none */
};

/* Buffers of one thread. The arena is the request's, and its owner resets it. */
struct push_reader {
	const struct config *config;
	struct current_rules *rules; /* NULL: no --config.file */
	struct arena arena;
	struct push_builder builder;
};

struct push_refusal {
	struct err err;
	enum reject why;
	struct strbuf group; /* as text; empty: not known, or not to be shown */
};

/* The limits of a grouping key in a path. */
struct key_limits read_push_key_limits(const struct config *config);

void push_reader_init(struct push_reader *r, const struct config *config,
		      struct current_rules *rules);
void push_reader_done(struct push_reader *r);
/* Frees memory that a large push has left in the buffers. */
void push_reader_shrink(struct push_reader *r);

/*
 * Checks a push against the rule (NULL: there is none): labels, values, names. -1: *err, the rule
 * denies it. Any thread.
 */
int read_push_check_rule(const struct group_rule *rule, const struct key *key,
			 const struct family *families, struct err *err);

/*
 * Decodes into the arena. The caller owns the push, which may break a rule by itself (push/push.h).
 * NULL: *ret says why there is none; the caller frees ->group.
 */
struct push *read_push(struct push_reader *r, const struct push_request *req,
		       struct push_refusal *ret);

#endif
