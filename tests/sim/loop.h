/*
 * libevent's loop over the simulated sockets: the few calls of it that src/http makes, around which
 * the linker puts this (tests/meson.build). A loop runs on a fiber (fibers.h); each time that it
 * goes on it handles what is ready, sockets in random order before timers, as libevent does.
 */
#ifndef TESTS_SIM_LOOP_H
#define TESTS_SIM_LOOP_H

#include <stdint.h>

void loop_seed(uint64_t seed);

#endif
