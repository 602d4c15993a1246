/*
 * A gateway without its threads: a store, rows in memory, and pushes that are staged one by one.
 * Times are 1.5, 2.5 ...: that of a push is its number and a half. For tests that use Check.
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
	enum err_reason reason; /* for which it is to be refused */
};

void gateway_init(struct gateway *g, uint64_t max_groups, uint64_t max_series);
void gateway_done(struct gateway *g);
/* The text of a file of rules, whose limits hold from now on. */
void gateway_rules(struct gateway *g, const char *text);
/* Both fail the test when the push gets another verdict; the second is a batch by itself. */
void gateway_stage(struct gateway *g, const struct gateway_push *p);
void gateway_push(struct gateway *g, enum push_mode mode, const char *path, const char *body,
		  enum err_reason reason);
void gateway_publish(struct gateway *g);
void gateway_check_counts(struct gateway *g, uint64_t groups, uint64_t series);

#endif
