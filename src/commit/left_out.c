/*
 * Families that are left out since they contradict what others have: notes in the log that they
 * are, and shows them again when nothing is in their way any more.
 */
#include "base/log.h"
#include "commit/internal.h"
#include "format/protobuf/decode.h"

enum { LOOK_AT = 1024, FAMILIES_MAX = 64, NAMED_MAX = 1000, EPOCH_OF_LEFT_OUT = 2 };

/* Gateways of the version before do not know the row. */
static bool may_settle(const struct committer *c)
{
	const struct database *d = &c->database;
	const struct storage_ops *ops = d->storage ? d->storage->ops : NULL;

	return ops && !d->suspect && !d->full &&
	       (!ops->epoch || ops->epoch(d->storage) >= EPOCH_OF_LEFT_OUT);
}

static bool settle_some(struct committer *c)
{
	struct err err = { 0 };

	if (committer_begin_alone(c, &err) < 0)
		return false;
	if (database_commit(&c->database, store_settle_rows(c->store),
			    "could not note which families are left out",
			    &err) != STORAGE_COMMITTED) {
		store_rollback(c->store);
		return false;
	}
	store_settled(c->store);
	committer_publish(c);
	c->batches++;
	return true;
}

void committer_settle(struct committer *c)
{
	while (store_has_unsettled(c->store) && may_settle(c) && settle_some(c))
		;
}

/* ---- showing them again ---- */

struct again {
	struct push_builder builder;
	struct arena arena;  /* for building one push */
	struct push *pushes; /* linked by node.next */
	struct strbuf which; /* of those that are staged, for the log */
	size_t n;
};

static struct push *build(struct again *a, const struct store_left_out *left, bool empty)
{
	static const struct decode_limits no_limits = DECODE_UNLIMITED;
	struct family *families = NULL;
	struct err ignored;
	struct push *push;
	struct key key;

	arena_reset(&a->arena);
	if (key_decode(left->key, &a->arena, &key) < 0)
		return NULL;
	if (!empty)
		proto_decode(left->message, &no_limits, &a->arena, &families, &ignored);
	push = push_build(&a->builder, PUSH_POST, &key, families, left->at);
	push->node.next = (struct queue_node *)a->pushes;
	a->pushes = push;
	return push;
}

static void stage(struct committer *c, struct again *a, const struct store_left_out *left)
{
	struct push *push = build(a, left, false), *empty = push ? build(a, left, true) : NULL;
	char name[200];

	if (!empty || !store_show_again(c->store, left, push, empty))
		return;
	a->n++;
	if (a->which.n > NAMED_MAX)
		return;
	strbuf_addz(&a->which, a->which.n ? ", " : "");
	strbuf_addz(&a->which, str_quote(left->family, name, sizeof(name)));
	strbuf_addz(&a->which, " of ");
	strbuf_adds(&a->which, push->labels);
}

static void commit(struct committer *c, struct again *a)
{
	struct err err = { 0 };

	if (a->n == 0) {
		store_rollback(c->store);
		return;
	}
	if (database_commit(&c->database, store_rows(c->store),
			    "could not show families again that were left out",
			    &err) != STORAGE_COMMITTED) {
		store_rollback(c->store);
		store_look_for_free(c->store);
		return;
	}
	committer_publish(c);
	log_info("what stored families contradicted has gone: they are shown again",
		 LOG_NUMBER("families"), log_count(a->n).text, "which", strbuf_z(&a->which), NULL);
}

static void again_done(struct again *a)
{
	while (a->pushes) {
		struct push *p = a->pushes;

		a->pushes = (struct push *)p->node.next;
		push_free(p);
	}
	push_builder_done(&a->builder);
	arena_done(&a->arena);
	strbuf_done(&a->which);
}

/* Up to FAMILIES_MAX, in one transaction. */
static void show_some(struct committer *c)
{
	struct again a = { .builder = { .max_series = UINT64_MAX,
					.max_labels = UINT32_MAX,
					.rules.lenient = true } };
	struct store_left_out left;
	struct err err = { 0 };

	if (!store_finds_free(c->store, LOOK_AT))
		return;
	/* Rows of others may come with it, after which that one is shown or gone. */
	if (committer_begin_alone(c, &err) < 0) {
		store_look_for_free(c->store);
		return;
	}
	arena_init(&a.arena, ARENA_MUST);
	a.builder.arena = &a.arena;
	while (a.n < FAMILIES_MAX && store_next_free(c->store, LOOK_AT, &left))
		stage(c, &a, &left);
	commit(c, &a);
	database_cancel(&c->database);
	again_done(&a);
	c->batches++;
}

void committer_show_again(struct committer *c)
{
	const struct database *d = &c->database;

	do {
		/* It takes room, and a large push that is staged may be in the way. */
		if (!d->storage || d->suspect || d->full || store_large_push(c->store) ||
		    !store_is_looking_for_free(c->store))
			return;
		show_some(c);
	} while (committer_is_idle(c, 0));
}
