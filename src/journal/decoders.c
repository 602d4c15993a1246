#include "journal/decoders.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "format/protobuf/decode.h"

enum {
	BATCH_SEGMENTS = 256,
	BATCH_BYTES = 1024 * 1024,
	RING = 8, /* batches that are filled, decoded or waited for */
	THREADS_MAX = 4,
};

static const struct decode_limits no_limits = DECODE_UNLIMITED;

struct job {
	struct storage_segment seg; /* without its body */
	struct str key;
	size_t at, n; /* of the body, in the batch's bytes */
	struct push *push;
	struct err err;
};

struct batch {
	struct job jobs[BATCH_SEGMENTS];
	size_t n;
	struct strbuf bytes;
	bool decoded;
};

struct decoders {
	decoded_fn fn;
	void *arg;
	struct batch ring[RING];
	uint64_t n_filled, n_taken; /* n_filled: the number of the batch being filled */
	uint64_t n_finished;        /* given to fn */
	bool closed;
	pthread_mutex_t lock;
	pthread_cond_t filled, decoded;
	pthread_t threads[THREADS_MAX];
	unsigned n_threads;
};

static int decode(struct push_builder *builder, const struct batch *b, struct job *job)
{
	struct str body = { b->bytes.p + job->at, job->n };
	struct family *families;
	struct key key;

	arena_reset(builder->arena);
	if (proto_decode(body, &no_limits, builder->arena, &families, &job->err) < 0)
		return -1;
	if (key_decode(job->key, builder->arena, &key) < 0)
		return err_set(&job->err, ERR_SYSTEM, 0, "segment %llu belongs to no group",
			       (unsigned long long)job->seg.row);
	job->push = push_build(builder, PUSH_POST, &key, families, job->seg.pushed_at);
	return 0;
}

/* The next batch that is filled and that no other thread has; NULL: there will be none. */
static struct batch *take(struct decoders *d)
{
	struct batch *b = NULL;

	pthread_mutex_lock(&d->lock);
	while (d->n_taken == d->n_filled && !d->closed)
		pthread_cond_wait(&d->filled, &d->lock);
	if (d->n_taken < d->n_filled)
		b = &d->ring[d->n_taken++ % RING];
	pthread_mutex_unlock(&d->lock);
	return b;
}

static void *decoder_main(void *arg)
{
	struct decoders *d = arg;
	struct push_builder builder = { .max_series = UINT64_MAX,
					.max_labels = UINT32_MAX,
					.rules.lenient = true };
	struct arena arena;
	struct batch *b;

	arena_init(&arena, SIZE_MAX);
	builder.arena = &arena;
	while ((b = take(d)) != NULL) {
		for (size_t i = 0; i < b->n; i++)
			if (decode(&builder, b, &b->jobs[i]) < 0)
				break;
		pthread_mutex_lock(&d->lock);
		b->decoded = true;
		pthread_cond_signal(&d->decoded);
		pthread_mutex_unlock(&d->lock);
	}
	push_builder_done(&builder);
	arena_done(&arena);
	return NULL;
}

struct decoders *decoders_start(decoded_fn fn, void *arg, struct err *err)
{
	struct decoders *d = mem_zalloc(sizeof(*d));
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	d->fn = fn;
	d->arg = arg;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->filled, NULL);
	pthread_cond_init(&d->decoded, NULL);
	/* The thread that reads and restores has a core for itself. */
	do {
		if (pthread_create(&d->threads[d->n_threads], NULL, decoder_main, d) != 0)
			break;
		pthread_setname_np(d->threads[d->n_threads], "load");
	} while (++d->n_threads < THREADS_MAX && d->n_threads + 1 < cores);
	if (d->n_threads > 0)
		return d;
	err_set(err, ERR_SYSTEM, 0, "cannot start a thread to load the database");
	decoders_free(d);
	return NULL;
}

static void empty(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		push_free(b->jobs[i].push);
	b->n = 0;
	b->bytes.n = 0;
	b->decoded = false;
}

/* Waits for the oldest batch that is not finished, and gives it to fn. */
static int finish_one(struct decoders *d, struct err *err)
{
	struct batch *b = &d->ring[d->n_finished % RING];
	int r = 0;

	pthread_mutex_lock(&d->lock);
	while (!b->decoded)
		pthread_cond_wait(&d->decoded, &d->lock);
	pthread_mutex_unlock(&d->lock);
	for (size_t i = 0; r == 0 && i < b->n; i++) {
		struct job *job = &b->jobs[i];

		if (job->push) {
			r = d->fn(d->arg, &job->seg, job->push, err);
		} else {
			*err = job->err;
			r = -1;
		}
	}
	empty(b);
	d->n_finished++;
	return r;
}

static int hand_over(struct decoders *d, struct err *err)
{
	pthread_mutex_lock(&d->lock);
	d->n_filled++;
	pthread_cond_signal(&d->filled);
	pthread_mutex_unlock(&d->lock);
	/* The slot of the batch to be filled next. */
	return d->n_filled - d->n_finished == RING ? finish_one(d, err) : 0;
}

int decoders_add(struct decoders *d, const struct storage_segment *seg, struct str key,
		 struct err *err)
{
	struct batch *b = &d->ring[d->n_filled % RING];

	b->jobs[b->n] = (struct job){ *seg, key, b->bytes.n, seg->body.n, NULL, { 0 } };
	b->jobs[b->n++].seg.body = STR_NULL;
	strbuf_adds(&b->bytes, seg->body);
	if (b->n < BATCH_SEGMENTS && b->bytes.n < BATCH_BYTES)
		return 0;
	return hand_over(d, err);
}

int decoders_finish(struct decoders *d, struct err *err)
{
	int r = hand_over(d, err);

	while (r == 0 && d->n_finished < d->n_filled)
		r = finish_one(d, err);
	return r;
}

void decoders_free(struct decoders *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->closed = true;
	pthread_cond_broadcast(&d->filled);
	pthread_mutex_unlock(&d->lock);
	for (unsigned i = 0; i < d->n_threads; i++)
		pthread_join(d->threads[i], NULL);
	for (size_t i = 0; i < RING; i++) {
		empty(&d->ring[i]);
		strbuf_done(&d->ring[i].bytes);
	}
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->filled);
	pthread_cond_destroy(&d->decoded);
	free(d);
}
