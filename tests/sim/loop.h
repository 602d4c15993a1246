/*
 * libevent's loop over the simulated sockets. The linker puts wrappers around the few calls of
 * libevent that src/http makes (tests/meson.build). A loop runs on a fiber (fibers.h); each time it
 * goes on it handles the events that are ready, sockets in random order before timers, as libevent
 * does.
 */
#ifndef TESTS_SIM_LOOP_H
#define TESTS_SIM_LOOP_H

#include <stdint.h>

void loop_seed(uint64_t seed);

#endif
