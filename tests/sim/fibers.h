/*
 * The threads of src/ as fibers of one thread: the linker puts these wrappers around
 * pthread_create(), and around waiting (tests/meson.build). A fiber runs until it waits for a
 * condition; then the caller of fibers_run_one() goes on. Locks are real, and never contended.
 * While the thread itself waits, to join a fiber or for a condition, fibers run in random order; if
 * none can, the clock is set forward to the next time that one waits for.
 */
#ifndef TESTS_SIM_FIBERS_H
#define TESTS_SIM_FIBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The order in which fibers run follows from the seed. */
void fibers_seed(uint64_t seed);
/* How many fibers can go on: they have been signalled, or their time is over. */
size_t fibers_ready(void);
/* Lets one of these fibers go on until it waits again. False: there is none. */
bool fibers_run_one(void);
/* Called on a fiber: it waits until ready(arg) says true. */
void fiber_wait_until(bool (*ready)(void *arg), void *arg);
/* How many threads have been started and not joined. */
size_t fibers_alive(void);
/* Before the program ends: stacks are kept for the next ones until then. */
void fibers_free_stacks(void);

#endif
