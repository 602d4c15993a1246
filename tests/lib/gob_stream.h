/*
 * Whole streams of one group with one family, as a Pushgateway could write them. A variant says
 * what differs from the usual {a="b",job="j"} with "up" at 1600000000.5.
 */
#ifndef TESTS_LIB_GOB_STREAM_H
#define TESTS_LIB_GOB_STREAM_H

#include <stdbool.h>

#include "lib/gob_write.h"

struct gob_variant {
	int64_t first_id; /* 0: 65 */
	int time_version; /* 0: 1 */
	int opaque_kind;  /* 0: 5, GobEncoder */
	bool late_types;  /* described in the reverse order */
	bool turned;      /* the fields of both structs in the reverse order */
	bool more_fields; /* each struct has fields that we do not know, of all kinds of types */
	bool uint_keys;   /* the key of a group is a hash, as before 0.10 */
	bool no_labels, no_metrics, no_time, no_message, no_groups;
	unsigned label_bytes, message_bytes; /* lengths; 0: short */
	int64_t seconds;                     /* 0: some time */
};

/* Offsets of the types from the first id. The last three are only for fields that we do not know.
 */
enum {
	GOB_W_GROUPS,
	GOB_W_GROUP,
	GOB_W_LABELS,
	GOB_W_METRICS,
	GOB_W_FAMILY,
	GOB_W_TIME,
	GOB_W_MESSAGE,
	GOB_W_LIST,
	GOB_W_BOX,
	GOB_W_ARRAY,
	GOB_W_TYPES,
};

/* One type's description; `what` is one of the offsets. */
void gob_describe_usual(struct strbuf *out, const struct gob_variant *v, int64_t first, int what);
void gob_put_stream(struct strbuf *out, const struct gob_variant *v);

#endif
