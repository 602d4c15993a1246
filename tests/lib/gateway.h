/*
 * A gateway without its threads: a store, rows in memory, and pushes that are staged one by one.
 * The times of pushes are 1.5, 2.5 ... For tests that use Check.
 */
#ifndef TESTS_LIB_GATEWAY_H
#define TESTS_LIB_GATEWAY_H

#include "lib/make_push.h"
#include "lib/mem_storage.h"
#include "store/store.h"

enum { GATEWAY_PUSHES = 1024 };

struct gateway {
	struct store *store;
	struct mem_storage rows;
	struct push *pushes[GATEWAY_PUSHES];
	unsigned n;
	double now; /* of the next push */
};

struct gateway_push {
	enum push_mode mode;
	const char *path, *body;
	enum err_reason reason; /* the expected reason of its refusal */
};

void gateway_init(struct gateway *g, uint64_t max_groups, uint64_t max_series);
void gateway_done(struct gateway *g);
/* Puts the limits of rules in force; text: that of their file. */
void gateway_rules(struct gateway *g, const char *text);
/*
 * Both fail the test when the push gets another verdict; gateway_push() publishes it as a batch by
 * itself.
 */
void gateway_stage(struct gateway *g, const struct gateway_push *p);
void gateway_push(struct gateway *g, enum push_mode mode, const char *path, const char *body,
		  enum err_reason reason);
void gateway_publish(struct gateway *g);
void gateway_check_counts(struct gateway *g, uint64_t groups, uint64_t series);

#endif
