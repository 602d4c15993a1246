/*
 * The threads of src/ as fibers of one thread: the linker puts this around pthread_create(), and
 * around waiting (tests/meson.build). A fiber runs until it waits for a condition; then whoever
 * runs the fibers says which one goes on. Locks are real, and never fought over. While the thread
 * itself waits, to join another or for a condition, fibers run in random order; if none can, the
 * clock is set forward to what is waited for next.
 */
#ifndef TESTS_SIM_FIBERS_H
#define TESTS_SIM_FIBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The order in which fibers run while the thread waits follows from it. */
void fibers_seed(uint64_t seed);
/* How many can go on: they have been signalled, or their time is over. */
size_t fibers_ready(void);
/* Lets one of these go on until it waits again. False: there is none. */
bool fibers_run_one(void);
/* Within a fiber: until ready(arg) says true. */
void fiber_wait_until(bool (*ready)(void *arg), void *arg);
/* Threads that have been started and not joined. */
size_t fibers_alive(void);
/* Before the program ends: stacks are kept for the next ones until then. */
void fibers_free_stacks(void);

#endif
