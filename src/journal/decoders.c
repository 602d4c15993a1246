#include "journal/decoders.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/mem.h"
#include "format/protobuf/decode.h"

enum {
	BATCH_RECORDS = 256,
	BATCH_BYTES = 128 * 1024,
	RING = 8, /* batches that are being filled or decoded, or wait for the sink */
	THREADS_MAX = 4,
	SOON = 8, /* records */
};

static const struct decode_limits no_limits = DECODE_UNLIMITED;

struct refused_family {
	struct refused_family *next;
	char *why;
	size_t name_n;
	char name[];
};

struct decode_job {
	struct row row; /* without its body */
	struct str key;
	size_t at, n;      /* of the body, in the batch's bytes */
	struct push *push; /* linked by node.next */
	struct refused_family *refused;
	struct err err; /* the body cannot be read */
};

struct decode_batch {
	struct decode_job *jobs;
	size_t n, cap;
	struct strbuf bytes;
	bool decoded;
};

struct decoders {
	struct decoded_sink sink;
	struct decode_batch ring[RING];
	uint64_t n_filled, n_taken; /* n_filled: the number of the batch being filled */
	uint64_t n_finished;        /* given to the sink */
	bool closed;
	pthread_mutex_t lock;
	pthread_cond_t filled, decoded;
	pthread_t threads[THREADS_MAX];
	unsigned n_threads; /* 0: not needed yet, or none could be started */
};

/* Decodes the families of the body, in the builder's arena; building the push changes them. */
static int decode(struct push_builder *builder, const struct decode_batch *b,
		  struct decode_job *job, struct family **ret_families, struct key *ret_key)
{
	struct str body = { b->bytes.p + job->at, job->n };

	arena_reset(builder->arena);
	if (proto_decode(body, &no_limits, builder->arena, ret_families, &job->err) < 0)
		return -1;
	if (key_decode(job->key, builder->arena, ret_key) < 0)
		return err_set(&job->err, ERR_SYSTEM, 0, "row %llu belongs to no group",
			       (unsigned long long)job->row.number);
	return 0;
}

static void add_refused(struct decode_job *job, struct str name, const char *why)
{
	struct refused_family *r = mem_alloc(sizeof(*r) + name.n);

	*r = (struct refused_family){ .next = job->refused,
				      .why = mem_strdup(why),
				      .name_n = name.n };
	copy_bytes(r->name, name.p, name.n);
	job->refused = r;
}

/* A family breaks a rule that older versions did not have: builds a push of each family. */
static int build_each(struct push_builder *builder, const struct decode_batch *b,
		      struct decode_job *job)
{
	struct family *families, *f;
	struct key key;

	for (unsigned n = 0;; n++) {
		if (decode(builder, b, job, &families, &key) < 0)
			return -1;
		f = families;
		for (unsigned i = 0; f && i < n; i++)
			f = f->next;
		if (!f)
			return 0;
		f->next = NULL;
		struct str name = f->name;
		struct push *push = push_build(builder, PUSH_POST, &key, f, job->row.at);

		if (push->err.reason) {
			add_refused(job, name, push->err.msg);
			push_free(push);
			continue;
		}
		push->node.next = (struct queue_node *)job->push;
		job->push = push;
	}
}

static int build(struct push_builder *builder, const struct decode_batch *b, struct decode_job *job)
{
	struct family *families;
	struct key key;

	if (decode(builder, b, job, &families, &key) < 0)
		return -1;
	job->push = push_build(builder, PUSH_POST, &key, families, job->row.at);
	if (!job->push->err.reason)
		return 0;
	push_free(job->push);
	job->push = NULL;
	return build_each(builder, b, job);
}

/* Waits for the next filled batch that no thread has taken; NULL: there will be no more. */
static struct decode_batch *take(struct decoders *d)
{
	struct decode_batch *b = NULL;

	pthread_mutex_lock(&d->lock);
	while (d->n_taken == d->n_filled && !d->closed)
		pthread_cond_wait(&d->filled, &d->lock);
	if (d->n_taken < d->n_filled)
		b = &d->ring[d->n_taken++ % RING];
	pthread_mutex_unlock(&d->lock);
	return b;
}

static void decode_batch(struct decode_batch *b)
{
	struct push_builder builder = { .max_series = UINT64_MAX,
					.max_labels = UINT32_MAX,
					.rules.lenient = true };
	CLEANUP(arena_done) struct arena arena;

	arena_init(&arena, ARENA_MUST);
	builder.arena = &arena;
	for (size_t i = 0; i < b->n; i++)
		if (build(&builder, b, &b->jobs[i]) < 0)
			break;
	push_builder_done(&builder);
}

static void *decoder_main(void *arg)
{
	struct decoders *d = arg;
	struct decode_batch *b;

	while ((b = take(d)) != NULL) {
		decode_batch(b);
		pthread_mutex_lock(&d->lock);
		b->decoded = true;
		pthread_cond_signal(&d->decoded);
		pthread_mutex_unlock(&d->lock);
	}
	return NULL;
}

struct decoders *decoders_new(const struct decoded_sink *sink)
{
	struct decoders *d = mem_zalloc(sizeof(*d));

	d->sink = *sink;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->filled, NULL);
	pthread_cond_init(&d->decoded, NULL);
	return d;
}

/* One core is left for the thread that reads and restores. */
static void start_threads(struct decoders *d)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	do {
		if (pthread_create(&d->threads[d->n_threads], NULL, decoder_main, d) != 0)
			return;
		pthread_setname_np(d->threads[d->n_threads], "load");
	} while (++d->n_threads < THREADS_MAX && d->n_threads + 1 < cores);
}

static void job_done(struct decode_job *job)
{
	while (job->push) {
		struct push *push = job->push;

		job->push = (struct push *)push->node.next;
		push_free(push);
	}
	while (job->refused) {
		struct refused_family *r = job->refused;

		job->refused = r->next;
		free(r->why);
		free(r);
	}
}

static void empty(struct decode_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		job_done(&b->jobs[i]);
	b->n = 0;
	b->bytes.n = 0;
	b->decoded = false;
}

static void announce(struct decoders *d, const struct decode_batch *b, size_t i)
{
	if (i < b->n && b->jobs[i].push)
		d->sink.soon(d->sink.arg, &b->jobs[i].row, b->jobs[i].push);
}

static int finish_job(struct decoders *d, const struct decode_batch *b, struct decode_job *job,
		      struct err *err)
{
	struct row row = job->row;

	row.body = (struct str){ b->bytes.p + job->at, job->n };
	if (job->err.reason) {
		*err = job->err;
		return -1;
	}
	for (struct push *p = job->push; p; p = (struct push *)p->node.next)
		d->sink.push(d->sink.arg, &row, p);
	for (struct refused_family *r = job->refused; r; r = r->next)
		d->sink.refused(d->sink.arg, &row, (struct str){ r->name, r->name_n }, r->why);
	return 0;
}

/* Waits for the oldest unfinished batch to be decoded, and gives it to the sink. */
static int finish_one(struct decoders *d, struct err *err)
{
	struct decode_batch *b = &d->ring[d->n_finished % RING];
	int r = 0;

	pthread_mutex_lock(&d->lock);
	while (!b->decoded)
		pthread_cond_wait(&d->decoded, &d->lock);
	pthread_mutex_unlock(&d->lock);
	for (size_t i = 0; i < SOON; i++)
		announce(d, b, i);
	for (size_t i = 0; r == 0 && i < b->n; i++) {
		announce(d, b, i + SOON);
		r = finish_job(d, b, &b->jobs[i], err);
	}
	empty(b);
	d->n_finished++;
	return r;
}

/* Decodes the batch that is being filled on this thread. */
static int finish_here(struct decoders *d, struct err *err)
{
	struct decode_batch *b = &d->ring[d->n_filled % RING];

	d->n_filled++;
	d->n_taken++;
	decode_batch(b);
	b->decoded = true;
	return finish_one(d, err);
}

static int hand_over(struct decoders *d, struct err *err)
{
	if (d->n_threads == 0)
		start_threads(d);
	if (d->n_threads == 0)
		return finish_here(d, err);
	pthread_mutex_lock(&d->lock);
	d->n_filled++;
	pthread_cond_signal(&d->filled);
	pthread_mutex_unlock(&d->lock);
	/* The slot of the batch to be filled next. */
	return d->n_filled - d->n_finished == RING ? finish_one(d, err) : 0;
}

int decoders_add(struct decoders *d, const struct row *row, struct str key, struct err *err)
{
	struct decode_batch *b = &d->ring[d->n_filled % RING];

	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 16;
		b->jobs = mem_realloc(b->jobs, b->cap * sizeof(*b->jobs));
	}
	b->jobs[b->n] = (struct decode_job){
		.row = *row, .key = key, .at = b->bytes.n, .n = row->body.n
	};
	b->jobs[b->n++].row.body = STR_NULL;
	strbuf_adds(&b->bytes, row->body);
	if (b->n < BATCH_RECORDS && b->bytes.n < BATCH_BYTES)
		return 0;
	return hand_over(d, err);
}

int decoders_finish(struct decoders *d, struct err *err)
{
	int r = d->n_threads > 0 ? hand_over(d, err) : finish_here(d, err);

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
		free(d->ring[i].jobs);
		strbuf_done(&d->ring[i].bytes);
	}
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->filled);
	pthread_cond_destroy(&d->decoded);
	free(d);
}
