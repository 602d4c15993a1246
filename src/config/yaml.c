#include "config/yaml.h"

#include <assert.h>
#include <yaml.h>

#include "base/mem.h"

struct anchor {
	struct anchor *next;
	const char *name;
	const struct yaml_node *node;
};

/* A list or map that is not complete yet. */
struct level {
	struct yaml_node *node;
	struct yaml_item **tail;
	const struct yaml_node *key; /* of a map, waiting for its value */
};

struct builder {
	struct str input;
	struct arena *arena;
	struct err *err;
	struct level levels[YAML_MAX_DEPTH];
	unsigned depth;
	size_t n_nodes;
	unsigned n_anchors;
	struct anchor *anchors; /* newest first */
	const struct yaml_node *root;
	bool done;
};

static uint32_t line_of(const yaml_event_t *e)
{
	return (uint32_t)e->start_mark.line + 1;
}

static int refuse(struct builder *b, uint32_t line, const char *what)
{
	return err_set(b->err, ERR_CONFIG, line, "yaml: line %u: %s", line, what);
}

/* libyaml's reader knows the byte of a fault; its scanner and parser know the line. */
static int refuse_syntax(struct builder *b, const yaml_parser_t *p)
{
	uint32_t line = (uint32_t)p->problem_mark.line + 1;

	if (p->error == YAML_READER_ERROR) {
		line = 1;
		for (size_t i = 0; i < p->problem_offset && i < b->input.n; i++)
			line += b->input.p[i] == '\n';
	}
	return refuse(b, line, p->problem ? p->problem : "out of memory");
}

static struct yaml_node *new_node(struct builder *b, enum yaml_kind kind, const yaml_event_t *e)
{
	struct yaml_node *n = NULL;

	if (b->n_nodes++ < YAML_MAX_NODES)
		n = arena_zalloc(b->arena, sizeof(*n));
	if (!n) {
		refuse(b, line_of(e), "too many values");
		return NULL;
	}
	n->kind = kind;
	n->line = line_of(e);
	return n;
}

static int remember(struct builder *b, const yaml_char_t *name, const struct yaml_node *node)
{
	struct anchor *a;
	struct str copy;

	if (!name)
		return 0;
	copy = arena_dup(b->arena,
			 (struct str){ (const char *)name, strlen((const char *)name) + 1 });
	a = arena_alloc(b->arena, sizeof(*a));
	if (b->n_anchors++ >= YAML_MAX_ANCHORS || !a || !copy.p)
		return refuse(b, node->line, "too many anchors");
	*a = (struct anchor){ b->anchors, copy.p, node };
	b->anchors = a;
	return 0;
}

/* Puts a node where it belongs: at the top, in a list, or in a map as a key or its value. */
static int place(struct builder *b, const struct yaml_node *node)
{
	struct level *l = b->depth ? &b->levels[b->depth - 1] : NULL;
	struct yaml_item *item;

	if (!l) {
		b->root = node;
		return 0;
	}
	if (l->node->kind == YAML_MAP && !l->key) {
		l->key = node;
		return 0;
	}
	item = arena_alloc(b->arena, sizeof(*item));
	if (!item)
		return refuse(b, node->line, "too many values");
	*item = (struct yaml_item){ NULL, l->key, node };
	*l->tail = item;
	l->tail = &item->next;
	l->node->n++;
	l->key = NULL;
	return 0;
}

static bool has_tag(const yaml_char_t *tag, const char *want)
{
	return !tag || strcmp((const char *)tag, want) == 0;
}

static int add_scalar(struct builder *b, const yaml_event_t *e)
{
	const yaml_char_t *tag = e->data.scalar.tag;
	struct yaml_node *n = new_node(b, YAML_SCALAR, e);

	if (!n)
		return -1;
	if (!has_tag(tag, YAML_STR_TAG) && !has_tag(tag, "!"))
		return refuse(b, n->line, "the only tag that a value may have is !!str");
	n->plain = !tag && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	n->text = arena_dup(b->arena, (struct str){ (const char *)e->data.scalar.value,
						    e->data.scalar.length });
	if (!n->text.p)
		return refuse(b, n->line, "too many values");
	return remember(b, e->data.scalar.anchor, n) < 0 ? -1 : place(b, n);
}

static int open_level(struct builder *b, const yaml_event_t *e, enum yaml_kind kind,
		      const yaml_char_t *tag, const yaml_char_t *anchor)
{
	struct yaml_node *n = new_node(b, kind, e);

	if (!n)
		return -1;
	if (!has_tag(tag, kind == YAML_MAP ? YAML_MAP_TAG : YAML_SEQ_TAG))
		return refuse(b, n->line, "unknown tag");
	if (b->depth == YAML_MAX_DEPTH)
		return refuse(b, n->line, "nested too deeply");
	n->open = true;
	if (remember(b, anchor, n) < 0 || place(b, n) < 0)
		return -1;
	b->levels[b->depth++] = (struct level){ .node = n, .tail = &n->items };
	return 0;
}

static int add_alias(struct builder *b, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	char quoted[80], what[128];

	for (const struct anchor *a = b->anchors; a; a = a->next) {
		if (strcmp(a->name, name) != 0)
			continue;
		if (!a->node->open)
			return place(b, a->node);
		snprintf(what, sizeof(what), "anchor %s value contains itself",
			 str_quote(str_of(name), quoted, sizeof(quoted)));
		return refuse(b, line_of(e), what);
	}
	snprintf(what, sizeof(what), "unknown anchor %s referenced",
		 str_quote(str_of(name), quoted, sizeof(quoted)));
	return refuse(b, line_of(e), what);
}

static int take_event(struct builder *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return add_scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_level(b, e, YAML_LIST, e->data.sequence_start.tag,
				  e->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return open_level(b, e, YAML_MAP, e->data.mapping_start.tag,
				  e->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		assert(b->depth > 0);
		b->levels[--b->depth].node->open = false;
		return 0;
	case YAML_ALIAS_EVENT:
		return add_alias(b, e);
	case YAML_DOCUMENT_END_EVENT:
	case YAML_STREAM_END_EVENT:
		b->done = true;
		return 0;
	default:
		return 0;
	}
}

static int build(struct builder *b, yaml_parser_t *parser)
{
	yaml_event_t event;
	int r;

	while (!b->done) {
		if (!yaml_parser_parse(parser, &event))
			return refuse_syntax(b, parser);
		r = take_event(b, &event);
		yaml_event_delete(&event);
		if (r < 0)
			return -1;
	}
	return 0;
}

int yaml_parse(struct str text, struct arena *a, const struct yaml_node **ret, struct err *err)
{
	struct builder b = { .input = text, .arena = a, .err = err };
	yaml_parser_t parser;
	int r;

	if (text.n > YAML_MAX_BYTES)
		return err_set(err, ERR_CONFIG, 0, "larger than %d bytes", YAML_MAX_BYTES);
	if (!yaml_parser_initialize(&parser))
		return err_set(err, ERR_SYSTEM, 0, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
	r = build(&b, &parser);
	yaml_parser_delete(&parser);
	if (r == 0)
		*ret = b.root;
	return r;
}
