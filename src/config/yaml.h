/*
 * A YAML document as a tree with line numbers, on libyaml. For files written by an operator: small
 * and bounded, and every fault has its line. config/yaml_value.h says what the values mean.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
	YAML_MAX_BYTES = 1024 * 1024, /* of the text */
	YAML_MAX_NODES = 100000,
	YAML_MAX_DEPTH = 16,
	YAML_MAX_ANCHORS = 64,
};

/* Enough for any text within these limits. */
#define YAML_ARENA_BYTES ((size_t)32 << 20)

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	bool plain;      /* a scalar without quotes or tag: may mean a number, a bool or null */
	bool open;       /* incomplete; never so in what yaml_parse() returns */
	uint32_t line;   /* 1-based, where it begins */
	struct str text; /* of a scalar: valid UTF-8, any character, NUL included */
	struct yaml_item *items; /* in the order of the file */
	size_t n;
};

/* A node with an alias is in several places. There are no cycles. */
struct yaml_item {
	struct yaml_item *next;
	const struct yaml_node *key; /* NULL in a list */
	const struct yaml_node *value;
};

/*
 * Reads the first document and ignores what follows it, as the Go gateway does. The tree is in the
 * arena and borrows nothing of the text. *ret is NULL when there is no document. -1: err->line and
 * the message, which names the line too. Any thread.
 */
int yaml_parse(struct str text, struct arena *a, const struct yaml_node **ret, struct err *err);

#endif
