/*
 * A push as a value: checked as far as that is possible without the store, in canonical order, and
 * encoded as exposition text for scrapes and as protobuf for the database. An HTTP worker makes it.
 * From then on it belongs to whoever holds the pointer: the queue, the committer, and at the end
 * the worker again, which answers and frees it.
 */
#ifndef PUSH_PUSH_H
#define PUSH_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/queue.h"
#include "config/group_options.h"
#include "metrics/key.h"
#include "metrics/metric.h"
#include "push/rules.h"

enum push_mode {
	PUSH_PUT,    /* replaces the group */
	PUSH_POST,   /* replaces the families it names */
	PUSH_DELETE, /* drops the group */
	PUSH_WIPE,   /* drops all groups; the key means nothing */
	PUSH_REMOVE, /* drops the groups that `removal` selects; the key means nothing */
	PUSH_UNDO,   /* brings back the groups that `undo` selects; the key means nothing */
	PUSH_FOLLOW, /* stores nothing, but shows what other gateways have written */
	PUSH_BACKUP, /* changes nothing, but copies the database; the key means nothing */
};

/* What is to be done with the group beside storing the push. */
struct push_options {
	struct group_options group; /* combined from the push, a rule and the flags */
	bool own_ttl;               /* the ttl is the push's own, which the group keeps */
	struct push_says says;      /* borrows from the request */
};

/* What the pusher should know, though the push was taken. */
enum push_warning {
	PUSH_RESET_ASSUMED = 1 << 0,    /* a count fell, so a restart of its process is assumed */
	PUSH_INHERITED_COUNTS = 1 << 1, /* the counts are older than their process */
	PUSH_ADD_REPEATED = 1 << 2,     /* a process has added twice */
	PUSH_WRITERS_CONFLICT = 1 << 3, /* several writers push to the group in turn */
	PUSH_NAMES = 1 << 4,            /* its names break Prometheus's rules (push/lint.h) */
};

/* One family of a push. A series is a metric: for a histogram it has several exposed lines. */
struct push_family {
	struct str name;    /* as pushed */
	struct str exposed; /* what the exposition calls it; the same bytes for a classic name */
	uint64_t hash;      /* of exposed */
	struct str help;    /* valid UTF-8 */
	bool has_help;
	uint8_t type; /* enum metric_type, one of the known ones */
	/* The text does not say all that was pushed (histograms, exemplars, other names ...). */
	bool lossy;
	bool escaped; /* the text holds a name that is not the one pushed; lossy, too */
	uint32_t n_series, n_lines;
	uint64_t stored;  /* bytes that the store counts for it (push/stored.h) */
	uint64_t *hashes; /* n_series, of the exposed name and labels */
	struct str text;  /* the sample lines, n_lines of them, sorted as scrapes show them */
	struct str proto; /* one delimited MetricFamily, metrics in the order pushed */
};

struct said;

struct push {
	struct queue_node node; /* first; node.bytes is what the push holds in all */
	enum push_mode mode;
	bool dry_run;                /* of a PUT or POST: it is checked, but not stored */
	bool hides_others;           /* its pusher may not read: no error names other groups */
	double now;                  /* Unix seconds: when the request was parsed */
	struct str key;              /* canonical bytes, see key_encode() */
	uint64_t key_hash;           /* of key */
	struct push_options options; /* all zeros, which asks for nothing, until somebody sets it */
	struct str labels; /* the key's exposition labels with `instance`: {instance="",job="x"} */
	uint32_t n_families;
	struct push_family *families; /* sorted by exposed name, then by name */
	struct str body;              /* their messages, as pushed */
	/*
	 * Of a push to a summed or added group, in place of families: what its source has counted
	 * (merge/sum_push.h), in one block that belongs to the push. NULL: the group is plain.
	 */
	struct said *said;
	struct str peer, user; /* who pushes, without a port; borrowed; empty: not known */
	unsigned warnings;     /* enum push_warning; added to by the committer */
	uint64_t n_ended;      /* groups that a DELETE or a wipe has ended; likewise */
	/* ERR_NONE: accepted. Set by push_build() or by the committer; the reply is made of it. */
	struct err err;
	struct removal *removal;       /* of PUSH_REMOVE (store/removal.h); borrowed */
	struct undo *undo;             /* of PUSH_UNDO (commit/undo.h); borrowed */
	struct storage_backup *backup; /* of PUSH_BACKUP (journal/storage.h): where the copy goes */

	/* Called once by the committer's thread when the verdict is final and, if accepted,
	 * durable. */
	void (*done)(struct push *push);
	void *done_arg;
};

/*
 * What an HTTP worker keeps from push to push: limits and buffers. One thread at a time. The arena
 * is that of the request, with the decoded families.
 */
struct push_builder {
	uint64_t max_series;   /* exposed lines of one push (--limits.series-per-push) */
	uint64_t max_families; /* (--limits.families-per-push); 0: UINT64_MAX */
	uint32_t max_labels; /* of one series, grouping labels included (--limits.labels-per-series)
			      */
	struct arena *arena;
	bool check_only;   /* families are checked, but left out of the push */
	uint64_t max_text; /* bytes of exposition that a push may become; 0: UINT32_MAX */
	struct strbuf text, proto, ids, head; /* of the push being built */
	struct rules rules;
};

void push_builder_done(struct push_builder *b);

/*
 * Builds a push from decoded families (NULL for DELETE): applies the grouping labels and
 * `instance`, sorts, checks and encodes. Changes the labels of the metrics. Always returns a push,
 * which is the caller's. If the push breaks a rule, it has ERR_INVALID and no families, since the
 * committer still has to set the group's failure time. If it is over a limit, it has ERR_TOO_LARGE
 * and must not reach the store.
 */
struct push *push_build(struct push_builder *b, enum push_mode mode, const struct key *key,
			struct family *families, double now);

/*
 * The order that a family's metrics are exposed in, for qsort() of struct metric *: by the number
 * of labels, then by their values; names do not count.
 */
int push_metric_order(const void *a, const void *b);

/*
 * Names that the gateway itself shows for each group, as push_time_seconds: families that are
 * pushed under them are dropped.
 */
bool push_is_own_family(struct str name);

/* NULL is fine. */
void push_free(struct push *push);
DEFINE_CLEANUP(struct push *, push_free)

/* Puts the Go gateway's words for a rejected push in front of the message. */
#define PUSH_INVALID_PREFIX "pushed metrics are invalid or inconsistent with existing metrics: "

#endif
