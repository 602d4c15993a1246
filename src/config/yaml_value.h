/*
 * What the nodes of a YAML tree mean, by the rules and in the words of the library that the Go
 * gateway uses (go-yaml v2, strict). A null leaves its target as it is. Every -1 has set err->line
 * and a message that names the line.
 */
#ifndef CONFIG_YAML_VALUE_H
#define CONFIG_YAML_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "config/yaml.h"

/* Reads a node into the member at `to`. */
typedef int (*yaml_read_fn)(const struct yaml_node *n, void *to, struct err *err);

struct yaml_field {
	const char *name;
	yaml_read_fn read;
	size_t offset; /* of the member */
};

/* The name that messages give the struct, and its keys, 32 at the most. Other keys are refused. */
struct yaml_type {
	const char *name;
	const struct yaml_field *fields;
	size_t n;
};

bool yaml_is_null(const struct yaml_node *n);

int yaml_read_struct(const struct yaml_node *n, const struct yaml_type *type, void *to,
		     struct err *err);
/* bool */
int yaml_read_bool(const struct yaml_node *n, void *to, struct err *err);
/* int64_t */
int yaml_read_int(const struct yaml_node *n, void *to, struct err *err);
/* int64_t, nanoseconds: "1m30s", or a number of nanoseconds. */
int yaml_read_duration(const struct yaml_node *n, void *to, struct err *err);
/* A scalar of any sort as it is written, owned by the caller; `type` is for the message. */
int yaml_read_text(const struct yaml_node *n, const char *type, char **to, struct err *err);

/* yaml_wrong_type() and yaml_wrong_value() return -1. "cannot unmarshal !!str `x` into TYPE" */
int yaml_wrong_type(const struct yaml_node *n, const char *type, struct err *err);
/* "line N: WHAT: VALUE", the value being the node's own. */
int yaml_wrong_value(const struct yaml_node *n, const char *what, struct err *err);

/* The text as one line of a message, cut if it is long. */
const char *yaml_show(struct str s, char *buf, size_t size);

#endif
