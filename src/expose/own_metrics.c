#include "expose/own_metrics.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "base/procstat.h"
#include "base/queue.h"
#include "expose/own_table.h"
#include "format/text/write.h"
#include "version.h"

void own_announce(struct store *store)
{
	for (int i = 0; i < N_OWN_METRICS; i++)
		store_add_own(store, str_of(own_table[i].name), own_table[i].type);
}

static void begin(struct own_metrics *own, enum own_metric which)
{
	struct own_family *f = &own->families[own->n++];

	f->name = str_of(own_table[which].name);
	f->at = own->text.n;
	text_write_header(&own->text, f->name, true, str_of(own_table[which].help),
			  own_table[which].type);
}

static void end(struct own_metrics *own)
{
	struct own_family *f = &own->families[own->n - 1];

	f->n = own->text.n - f->at;
}

/* In braces, or none. */
static void add_labels(struct own_metrics *own, const char *labels)
{
	size_t n = strlen(labels);

	strbuf_add(&own->text, labels, own->replica && n ? n - 1 : n);
	if (own->replica)
		strbuf_addf(&own->text, "%sreplica=\"%s\"}", n ? "," : "{", own->replica);
}

static void sample(struct own_metrics *own, const char *suffix, const char *labels, double v)
{
	char num[NUM_MAX];

	strbuf_adds(&own->text, own->families[own->n - 1].name);
	strbuf_addz(&own->text, suffix);
	add_labels(own, labels);
	strbuf_addc(&own->text, ' ');
	strbuf_add(&own->text, num, num_format(v, num));
	strbuf_addc(&own->text, '\n');
}

static void single(struct own_metrics *own, enum own_metric which, double v)
{
	begin(own, which);
	sample(own, "", "", v);
	end(own);
}

static void collect_process(struct own_metrics *own)
{
	struct procstat ps;

	procstat_read(&ps);
	single(own, OWN_CPU_SECONDS, ps.cpu_seconds);
	single(own, OWN_MAX_FDS, ps.max_fds);
	single(own, OWN_NET_RECEIVE, ps.received_bytes);
	single(own, OWN_NET_TRANSMIT, ps.sent_bytes);
	single(own, OWN_OPEN_FDS, ps.open_fds);
	single(own, OWN_RESIDENT, ps.resident_bytes);
	single(own, OWN_START_TIME, ps.start_time);
	single(own, OWN_VIRTUAL, ps.virtual_bytes);
	single(own, OWN_VIRTUAL_MAX, ps.max_virtual_bytes);
}

static void collect_build_info(struct own_metrics *own)
{
	begin(own, OWN_BUILD_INFO);
	sample(own, "",
	       "{branch=\"" VERSION_BRANCH "\",goarch=\"" VERSION_ARCH "\",goos=\"" VERSION_OS
	       "\",goversion=\"" VERSION_COMPILER "\",revision=\"" VERSION_REVISION
	       "\",tags=\"\",version=\"" VERSION "\"}",
	       1);
	end(own);
}

static void histogram(struct own_metrics *own, enum own_metric which,
		      const struct buckets_counts *c)
{
	uint64_t cumulative = 0;
	char labels[64], num[NUM_MAX];

	begin(own, which);
	for (size_t i = 0; i <= c->n_bounds; i++) {
		double bound = i < c->n_bounds ? c->bounds[i] : HUGE_VAL;

		cumulative += c->buckets[i];
		snprintf(labels, sizeof(labels), "{le=\"%.*s\"}", (int)num_format(bound, num), num);
		sample(own, "_bucket", labels, (double)cumulative);
	}
	sample(own, "_sum", "", c->sum);
	sample(own, "_count", "", (double)c->count);
	end(own);
}

/*
 * As in the Go gateway, a method appears after its first push, and the family with the first
 * method.
 */
static void summary(struct own_metrics *own, enum own_metric which, struct quantiles *q)
{
	static const double asked[3] = { 0.1, 0.5, 0.9 };
	static const char *const methods[] = { "post", "put" };
	int64_t now = clock_mono_ns();
	char labels[64];
	bool begun = false;

	for (int m = 0; m < N_PUSH_METHODS; m++) {
		struct quantiles_read r = quantiles_read(&q[m], asked, now);

		if (r.count == 0)
			continue;
		if (!begun)
			begin(own, which);
		begun = true;
		for (int k = 0; k < 3; k++) {
			snprintf(labels, sizeof(labels), "{method=\"%s\",quantile=\"%g\"}",
				 methods[m], asked[k]);
			sample(own, "", labels, r.at[k]);
		}
		snprintf(labels, sizeof(labels), "{method=\"%s\"}", methods[m]);
		sample(own, "_sum", labels, r.sum);
		sample(own, "_count", labels, (double)r.count);
	}
	if (begun)
		end(own);
}

static void collect_requests(struct own_metrics *own, const struct counters *c)
{
	char labels[128];
	bool begun = false;

	for (int code = 0; code < N_CODES; code++)
		for (int h = 0; h < N_HANDLERS; h++)
			for (int m = 0; m <= HTTP_OTHER; m++) {
				uint64_t n = c->requests[h][m][code];

				if (n == 0)
					continue;
				if (!begun)
					begin(own, OWN_REQUESTS);
				begun = true;
				snprintf(labels, sizeof(labels),
					 "{code=\"%d\",handler=\"%s\",method=\"%s\"}",
					 counters_codes[code], counters_handlers[h],
					 counters_methods[m]);
				sample(own, "", labels, (double)n);
			}
	if (begun)
		end(own);
}

static void by_reason(struct own_metrics *own, enum own_metric which, const char *const *reasons,
		      const atomic_ullong *counts, int n)
{
	char labels[64];

	begin(own, which);
	for (int i = 0; i < n; i++) {
		snprintf(labels, sizeof(labels), "{reason=\"%s\"}", reasons[i]);
		sample(own, "", labels, (double)counts[i]);
	}
	end(own);
}

static void collect_rejected(struct own_metrics *own, const struct counters *c)
{
	by_reason(own, OWN_REJECTED, counters_rejects, c->rejects, N_REJECTS);
	by_reason(own, OWN_REFUSED, counters_refusals, c->refusals, N_REFUSALS);
}

struct job_samples {
	struct own_metrics *own;
	enum own_metric which;
	bool begun;
};

static void add_job_sample(void *arg, struct str job, uint64_t n)
{
	const struct label label = { STR("job"), job };
	CLEANUP(strbuf_done) struct strbuf labels = { 0 };
	struct job_samples *to = arg;

	if (!to->begun)
		begin(to->own, to->which);
	to->begun = true;
	text_write_labels(&labels, &label, 1, false);
	sample(to->own, "", strbuf_z(&labels), (double)n);
}

static void collect_expired(struct own_metrics *own, struct store *store)
{
	struct job_samples to = { own, OWN_GROUPS_EXPIRED, false };
	uint64_t n;
	char *job;

	for (size_t i = 0; store_expired(store, i, &job, &n); i++) {
		add_job_sample(&to, str_of(job), n);
		free(job);
	}
	if (to.begun)
		end(own);
}

static void collect_conflicts(struct own_metrics *own, struct store *store)
{
	struct job_samples to = { own, OWN_WRITERS_CONFLICT, false };
	size_t at = 0;
	uint64_t n;
	char *job;

	while (store_conflicts(store, &at, &job, &n)) {
		add_job_sample(&to, str_of(job), n);
		free(job);
	}
	if (to.begun)
		end(own);
}

static void by_job(struct own_metrics *own, enum own_metric which, struct job_counts *counts)
{
	struct job_samples to = { own, which, false };

	job_counts_each(counts, add_job_sample, &to);
	if (to.begun)
		end(own);
}

static void limit_sample(struct own_metrics *own, const struct limit_use *l, uint64_t n)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "{limit=\"%s\"}", l->flag ? l->flag : "memory");
	sample(own, "", labels, (double)n);
}

static void collect_limits(struct own_metrics *own, const struct own_sources *from)
{
	begin(own, OWN_LIMIT);
	for (size_t i = 0; i < from->n_limits; i++)
		limit_sample(own, &from->limits[i], from->limits[i].limit);
	end(own);
	begin(own, OWN_LIMIT_USED);
	for (size_t i = 0; i < from->n_limits; i++)
		limit_sample(own, &from->limits[i], from->limits[i].used);
	end(own);
}

static void collect_gateway(struct own_metrics *own, const struct own_sources *from)
{
	struct committer_stats cs = committer_stats(from->committer);
	struct store_counts counts = store_counts(from->store);

	histogram(own, OWN_BATCH_PUSHES, &cs.batch_pushes);
	histogram(own, OWN_COMMIT_SECONDS, &cs.commit_seconds);
	single(own, OWN_COMMIT_FAILURES, (double)cs.commit_failures);
	if (from->rules) {
		struct current_rules_state rules = current_rules_state(from->rules);

		single(own, OWN_CONFIG_OK, rules.last_ok);
		single(own, OWN_CONFIG_READ, (double)rules.taken_wall_ns / 1e9);
	}
	single(own, OWN_DATABASE_BYTES, (double)cs.database_bytes);
	single(own, OWN_DATABASE_LEFT_OUT, (double)counts.left_out);
	single(own, OWN_DATABASE_SALVAGED, (double)from->salvaged_groups);
	single(own, OWN_DATABASE_SET_ASIDE, from->database_set_aside);
	single(own, OWN_FAMILIES, (double)counts.families);
	single(own, OWN_GROUPS, (double)counts.groups);
	collect_expired(own, from->store);
	collect_conflicts(own, from->store);
	by_job(own, OWN_INHERITED, &from->counters->oddities[ODD_INHERITED]);
	single(own, OWN_KEPT_SCRAPE_BYTES, (double)bytes_forms());
	single(own, OWN_LOG_LINES_LOST, (double)log_lost());
	summary(own, OWN_PUSH_SECONDS, from->counters->push_seconds);
	summary(own, OWN_PUSH_BYTES, from->counters->push_bytes);
	collect_requests(own, from->counters);
	single(own, OWN_QUEUE_DEPTH, (double)queue_depth(from->queue));
	collect_rejected(own, from->counters);
	single(own, OWN_REPLIES_REFUSED, (double)from->counters->replies_refused);
	single(own, OWN_REPLY_BYTES, (double)bytes_detached());
	by_job(own, OWN_REPEATED_ADDS, &from->counters->oddities[ODD_REPEATED]);
	by_job(own, OWN_RESETS_ASSUMED, &from->counters->oddities[ODD_RESET]);
	by_job(own, OWN_LINT_FINDINGS, &from->counters->lint);
	single(own, OWN_SERIES, (double)counts.series);
}

static void collect_http(struct own_metrics *own, const struct own_sources *from)
{
	struct http_stats hs = http_server_stats(from->server);

	single(own, OWN_CONNECTIONS, (double)hs.connections);
	single(own, OWN_CONNECTIONS_REFUSED, (double)hs.connections_refused);
	single(own, OWN_CROWDED, (double)hs.requests_crowded);
	single(own, OWN_MALFORMED, (double)hs.requests_malformed);
	single(own, OWN_RECEIVING, (double)hs.receiving);
	single(own, OWN_REPLIES_CUT, (double)hs.replies_cut);
	single(own, OWN_TIMED_OUT, (double)hs.requests_timed_out);
	single(own, OWN_TLS_FAILURES, (double)hs.tls_handshake_failures);
}

/* Metrics of a log that several gateways write. */
static void collect_replica(struct own_metrics *own, const struct own_sources *from)
{
	struct committer_stats cs = committer_stats(from->committer);
	struct freshness_stats fs = freshness_stats(from->freshness);

	begin(own, OWN_BATCHES);
	sample(own, "", "{outcome=\"committed\"}", (double)cs.batches_committed);
	sample(own, "", "{outcome=\"refused\"}", (double)cs.batches_refused);
	sample(own, "", "{outcome=\"unknown\"}", (double)cs.batches_unknown);
	end(own);
	histogram(own, OWN_LOCK_WAIT, &cs.lock_seconds);
	single(own, OWN_REPLICA_APPLIED, (double)cs.rows_applied);
	single(own, OWN_REPLICA_DIFFERS, (double)cs.digests_differ);
	single(own, OWN_REPLICA_LOST, (double)cs.histories_lost);
	single(own, OWN_REPLICA_LAG, (double)fs.lag_rows);
	single(own, OWN_STORAGE_UP, fs.up);
}

static int own_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct own_family *)a)->name, ((const struct own_family *)b)->name);
}

void own_collect(struct own_metrics *own, const struct own_sources *from)
{
	_Static_assert((int)N_OWN_METRICS <= (int)OWN_MAX, "room for all of our own families");
	own->text = (struct strbuf){ 0 };
	own->n = 0;
	own->replica = from->replica;
	collect_process(own);
	collect_build_info(own);
	collect_gateway(own, from);
	collect_http(own, from);
	collect_limits(own, from);
	if (from->freshness)
		collect_replica(own, from);
	array_sort(own->families, own->n, own_cmp);
}

void own_done(struct own_metrics *own)
{
	strbuf_done(&own->text);
}
