#include "sim/fibers.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#include "base/clock.h"
#include "base/mem.h"
#include "lib/rng.h"

enum { STACK = 1024 * 1024, FIBERS = 16 };

struct fiber {
	ucontext_t context;
	void *stack;
	void *(*fn)(void *arg);
	void *arg, *result;
	bool used, ended, joined;
	/* What the fiber waits for: a condition, a time, or ready() to say true. */
	pthread_cond_t *cond;
	int64_t until;
	bool (*ready)(void *arg);
	void *ready_arg;
	bool waits, signalled;
	uint64_t since; /* orders the fibers that wait for one condition */
	void *fake;     /* the address sanitizer's fake stack */
};

static struct fiber fibers[FIBERS];
/* The thread itself is a fiber, too, without a stack of its own here. */
static struct fiber thread;
static struct fiber *running = &thread;
static uint64_t rng, waits;

void fibers_seed(uint64_t seed)
{
	rng = seed;
}

size_t fibers_alive(void)
{
	size_t n = 0;

	for (size_t i = 0; i < FIBERS; i++)
		n += fibers[i].used;
	return n;
}

void fibers_free_stacks(void)
{
	for (size_t i = 0; i < FIBERS; i++) {
		if (fibers[i].stack)
			munmap(fibers[i].stack, STACK);
		fibers[i].stack = NULL;
	}
}

/* ---- switching ---- */

static void switch_to(struct fiber *to)
{
	struct fiber *from = running;

	running = to;
#ifdef __SANITIZE_ADDRESS__
	static const void *thread_stack;
	static size_t thread_size;

	__sanitizer_start_switch_fiber(from->ended ? NULL : &from->fake,
				       to == &thread ? thread_stack : to->stack,
				       to == &thread ? thread_size : (size_t)STACK);
	swapcontext(&from->context, &to->context);
	/* This fiber goes on again, maybe switched to from another one than `to`. */
	if (from == &thread)
		__sanitizer_finish_switch_fiber(from->fake, NULL, NULL);
	else
		__sanitizer_finish_switch_fiber(from->fake, &thread_stack, &thread_size);
#else
	swapcontext(&from->context, &to->context);
#endif
}

static void begin(void)
{
	struct fiber *f = running;

#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
	f->result = f->fn(f->arg);
	f->ended = true;
	switch_to(&thread);
	abort();
}

static void make_context(struct fiber *f)
{
	getcontext(&f->context);
	f->context.uc_stack.ss_sp = f->stack;
	f->context.uc_stack.ss_size = STACK;
	makecontext(&f->context, begin, 0);
}

static bool can_go_on(const struct fiber *f)
{
	if (!f->used || f->ended)
		return false;
	return !f->waits || f->signalled || clock_mono_ns() >= f->until ||
	       (f->ready && f->ready(f->ready_arg));
}

size_t fibers_ready(void)
{
	size_t n = 0;

	for (size_t i = 0; i < FIBERS; i++)
		n += can_go_on(&fibers[i]);
	return n;
}

bool fibers_run_one(void)
{
	size_t n = fibers_ready(), which = n ? rng_below(&rng, (uint32_t)n) : 0;

	assert(running == &thread);
	if (n == 0)
		return false;
	for (size_t i = 0; i < FIBERS; i++) {
		if (!can_go_on(&fibers[i]) || which-- > 0)
			continue;
		switch_to(&fibers[i]);
		if (fibers[i].ended && fibers[i].joined)
			fibers[i].used = false;
		return true;
	}
	return false;
}

/* Sets the clock to the next moment at which a fiber can go on, at most to `until`. */
static void pass_time(int64_t until)
{
	for (size_t i = 0; i < FIBERS; i++)
		if (fibers[i].used && !fibers[i].ended && fibers[i].waits &&
		    fibers[i].until < until)
			until = fibers[i].until;
	if (until == INT64_MAX) {
		fprintf(stderr, "everybody waits for somebody else\n");
		abort();
	}
	if (until > clock_mono_ns())
		clock_hold(clock_wall_ns(), until);
}

/* ---- waiting ---- */

static void wait_here(struct fiber *f)
{
	if (f != &thread) {
		switch_to(&thread);
		return;
	}
	while (!f->signalled && clock_mono_ns() < f->until)
		if (!fibers_run_one())
			pass_time(f->until);
}

/* False: the time is over. */
static bool wait_for(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until)
{
	struct fiber *f = running;
	bool signalled;

	f->cond = cond;
	f->until = until;
	f->ready = NULL;
	f->signalled = false;
	f->waits = true;
	f->since = ++waits;
	pthread_mutex_unlock(lock);
	wait_here(f);
	pthread_mutex_lock(lock);
	f->waits = false;
	f->cond = NULL;
	signalled = f->signalled;
	return signalled;
}

void fiber_wait_until(bool (*ready)(void *arg), void *arg)
{
	struct fiber *f = running;

	assert(f != &thread);
	f->cond = NULL;
	f->until = INT64_MAX;
	f->ready = ready;
	f->ready_arg = arg;
	f->signalled = false;
	f->waits = true;
	switch_to(&thread);
	f->waits = false;
	f->ready = NULL;
}

static bool has_ended(void *arg)
{
	return ((struct fiber *)arg)->ended;
}

/* The fiber that has waited longest; NULL: none waits. */
static struct fiber *first_waiting(const pthread_cond_t *cond)
{
	struct fiber *first = NULL;

	if (thread.waits && thread.cond == cond && !thread.signalled)
		first = &thread;
	for (size_t i = 0; i < FIBERS; i++) {
		struct fiber *f = &fibers[i];

		if (f->used && f->waits && f->cond == cond && !f->signalled &&
		    (!first || f->since < first->since))
			first = f;
	}
	return first;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*fn)(void *arg),
			  void *arg);
int __wrap_pthread_join(pthread_t which, void **ret);
int __wrap_pthread_detach(pthread_t which);
int __wrap_pthread_setname_np(pthread_t which, const char *name);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock);
int __wrap_pthread_cond_signal(pthread_cond_t *cond);
int __wrap_pthread_cond_broadcast(pthread_cond_t *cond);
bool __wrap_clock_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ns);
long __wrap_sysconf(int name);
long __real_sysconf(int name);

int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*fn)(void *arg),
			  void *arg)
{
	struct fiber *f = fibers;

	(void)attr;
	while (f < fibers + FIBERS && f->used)
		f++;
	if (f == fibers + FIBERS)
		return EAGAIN;
	if (!f->stack)
		f->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (f->stack == MAP_FAILED)
		abort();
#ifdef __SANITIZE_ADDRESS__
	/* The fiber before on this stack has left the poison of its frames. */
	ASAN_UNPOISON_MEMORY_REGION(f->stack, STACK);
#endif
	*f = (struct fiber){ .stack = f->stack, .fn = fn, .arg = arg, .used = true };
	make_context(f);
	*ret = (pthread_t)(f - fibers) + 1;
	return 0;
}

int __wrap_pthread_join(pthread_t which, void **ret)
{
	struct fiber *f = &fibers[which - 1];

	if (running != &thread && !f->ended)
		fiber_wait_until(has_ended, f);
	while (!f->ended)
		if (!fibers_run_one())
			pass_time(INT64_MAX);
	if (ret)
		*ret = f->result;
	f->used = false;
	return 0;
}

int __wrap_pthread_detach(pthread_t which)
{
	fibers[which - 1].joined = true;
	return 0;
}

int __wrap_pthread_setname_np(pthread_t which, const char *name)
{
	(void)which;
	(void)name;
	return 0;
}

int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock)
{
	wait_for(cond, lock, INT64_MAX);
	return 0;
}

bool __wrap_clock_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ns)
{
	return wait_for(cond, lock, until_ns);
}

int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
	struct fiber *f = first_waiting(cond);

	if (f)
		f->signalled = true;
	return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *cond)
{
	struct fiber *f;

	while ((f = first_waiting(cond)))
		f->signalled = true;
	return 0;
}

/* The gateway starts as many threads on every machine. */
long __wrap_sysconf(int name)
{
	enum { ONLINE = 84 };

	return name == ONLINE ? 2 : __real_sysconf(name);
}

/* NOLINTEND(bugprone-reserved-identifier) */
