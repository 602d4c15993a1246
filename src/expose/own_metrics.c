#include "expose/own_metrics.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "base/procstat.h"
#include "base/queue.h"
#include "format/text/write.h"
#include "version.h"

/* Every family of ours, for the store to know, with the words that scrapes show. */
enum own {
	CPU_SECONDS,
	MAX_FDS,
	NET_RECEIVE,
	NET_TRANSMIT,
	OPEN_FDS,
	RESIDENT,
	START_TIME,
	VIRTUAL,
	VIRTUAL_MAX,
	BUILD_INFO,
	BATCH_PUSHES,
	COMMIT_SECONDS,
	COMMIT_FAILURES,
	CONFIG_OK,
	CONFIG_READ,
	CONNECTIONS,
	CONNECTIONS_REFUSED,
	CROWDED,
	DATABASE_BYTES,
	DATABASE_LEFT_OUT,
	DATABASE_SALVAGED,
	DATABASE_SET_ASIDE,
	FAMILIES,
	GROUPS,
	GROUPS_EXPIRED,
	LOG_LINES_LOST,
	PUSH_SECONDS,
	PUSH_BYTES,
	REQUESTS,
	MALFORMED,
	QUEUE_DEPTH,
	RECEIVING,
	REJECTED,
	REFUSED,
	TIMED_OUT,
	REPLIES_CUT,
	REPLIES_REFUSED,
	REPLY_BYTES,
	SERIES,
	TLS_FAILURES,
	N_OWN,
};

static const struct {
	const char *name;
	int32_t type;
	const char *help;
} table[N_OWN] = {
	[CPU_SECONDS] = { "process_cpu_seconds_total", METRIC_COUNTER,
			  "Total user and system CPU time spent in seconds." },
	[MAX_FDS] = { "process_max_fds", METRIC_GAUGE, "Maximum number of open file descriptors." },
	[NET_RECEIVE] = { "process_network_receive_bytes_total", METRIC_COUNTER,
			  "Number of bytes received by the process over the network." },
	[NET_TRANSMIT] = { "process_network_transmit_bytes_total", METRIC_COUNTER,
			   "Number of bytes sent by the process over the network." },
	[OPEN_FDS] = { "process_open_fds", METRIC_GAUGE, "Number of open file descriptors." },
	[RESIDENT] = { "process_resident_memory_bytes", METRIC_GAUGE,
		       "Resident memory size in bytes." },
	[START_TIME] = { "process_start_time_seconds", METRIC_GAUGE,
			 "Start time of the process since unix epoch in seconds." },
	[VIRTUAL] = { "process_virtual_memory_bytes", METRIC_GAUGE,
		      "Virtual memory size in bytes." },
	[VIRTUAL_MAX] = { "process_virtual_memory_max_bytes", METRIC_GAUGE,
			  "Maximum amount of virtual memory available in bytes." },
	[BUILD_INFO] = { "pushgateway_build_info", METRIC_GAUGE,
			 "A metric with a constant '1' value labeled by version, revision, branch, "
			 "goversion from which pushgateway was built, and the goos and goarch for "
			 "the "
			 "build." },
	[BATCH_PUSHES] = { "pushgateway_commit_batch_pushes", METRIC_HISTOGRAM,
			   "Pushes and deletes committed together in one transaction." },
	[COMMIT_SECONDS] = { "pushgateway_commit_duration_seconds", METRIC_HISTOGRAM,
			     "Duration of a database transaction, sync included." },
	[COMMIT_FAILURES] = { "pushgateway_commit_failures_total", METRIC_COUNTER,
			      "Database transactions that failed; their pushes were answered "
			      "503." },
	[CONFIG_OK] = { "pushgateway_config_last_reload_successful", METRIC_GAUGE,
			"1 if the --config.file that was read last is in force." },
	[CONFIG_READ] = { "pushgateway_config_last_reload_success_timestamp_seconds", METRIC_GAUGE,
			  "Unix time when the --config.file that is in force was read." },
	[CONNECTIONS] = { "pushgateway_connections", METRIC_GAUGE, "Open client connections." },
	[CONNECTIONS_REFUSED] = { "pushgateway_connections_refused_total", METRIC_COUNTER,
				  "Connections over --web.max-connections, answered 503." },
	[CROWDED] = { "pushgateway_crowded_requests_total", METRIC_COUNTER,
		      "Requests beyond --limits.receiving-bytes, answered 503." },
	[DATABASE_BYTES] = { "pushgateway_database_bytes", METRIC_GAUGE,
			     "Size of the database files; 0 without persistence." },
	[DATABASE_LEFT_OUT] = { "pushgateway_database_left_out_families", METRIC_GAUGE,
				"Families in the database that contradict a rule and are not "
				"shown." },
	[DATABASE_SALVAGED] = { "pushgateway_database_salvaged_groups", METRIC_GAUGE,
				"Groups that came over from the damaged database found at start." },
	[DATABASE_SET_ASIDE] = { "pushgateway_database_set_aside", METRIC_GAUGE,
				 "1 if the database found at start was damaged and has been set "
				 "aside." },
	[FAMILIES] = { "pushgateway_families", METRIC_GAUGE,
		       "Metric families known, our own included." },
	[GROUPS_EXPIRED] = { "pushgateway_groups_expired_total", METRIC_COUNTER,
			     "Groups that ended because of their age, by job; job=\"\" is all "
			     "beyond "
			     "the first 100." },
	[GROUPS] = { "pushgateway_groups", METRIC_GAUGE, "Groups stored." },
	[LOG_LINES_LOST] = { "pushgateway_log_lines_lost_total", METRIC_COUNTER,
			     "Log lines that were too many of their kind, or for whatever reads "
			     "them." },
	[PUSH_SECONDS] = { "pushgateway_http_push_duration_seconds", METRIC_SUMMARY,
			   "HTTP request duration for pushes to the Pushgateway." },
	[PUSH_BYTES] = { "pushgateway_http_push_size_bytes", METRIC_SUMMARY,
			 "HTTP request size for pushes to the Pushgateway." },
	[REQUESTS] = { "pushgateway_http_requests_total", METRIC_COUNTER,
		       "Total HTTP requests processed by the Pushgateway, excluding scrapes." },
	[MALFORMED] = { "pushgateway_malformed_requests_total", METRIC_COUNTER,
			"Requests that are not HTTP or exceed a limit of the HTTP layer." },
	[QUEUE_DEPTH] = { "pushgateway_queue_depth", METRIC_GAUGE,
			  "Pushes waiting to be committed." },
	[RECEIVING] = { "pushgateway_receiving_bytes", METRIC_GAUGE,
			"Bytes of all requests that are being received or answered." },
	[REJECTED] = { "pushgateway_rejected_pushes_total", METRIC_COUNTER,
		       "Pushes and deletes that were refused, by reason." },
	[REFUSED] = { "pushgateway_rejected_requests_total", METRIC_COUNTER,
		      "Requests that --web.config.file refused, by reason." },
	[TIMED_OUT] = { "pushgateway_request_timeouts_total", METRIC_COUNTER,
			"Requests not complete within --web.read-timeout, answered 408." },
	[REPLIES_CUT] = { "pushgateway_replies_cut_total", METRIC_COUNTER,
			  "Replies that were not read for 5 s while --limits.reply-bytes was "
			  "exceeded, and not sent to their end." },
	[REPLIES_REFUSED] = { "pushgateway_replies_refused_total", METRIC_COUNTER,
			      "Scrapes and other large replies beyond --limits.reply-bytes, "
			      "answered 503." },
	[REPLY_BYTES] = { "pushgateway_reply_bytes", METRIC_GAUGE,
			  "Memory that is only kept for replies that clients have not read yet." },
	[SERIES] = { "pushgateway_series", METRIC_GAUGE,
		     "Pushed series exposed, push times included, our own metrics not." },
	[TLS_FAILURES] = { "pushgateway_tls_handshake_failures_total", METRIC_COUNTER,
			   "TLS connections that ended before a request could be sent." },
};

void own_announce(struct store *store)
{
	for (int i = 0; i < N_OWN; i++)
		store_add_own(store, str_of(table[i].name), table[i].type);
}

static void begin(struct own_metrics *own, enum own which)
{
	struct own_family *f = &own->families[own->n++];

	f->name = str_of(table[which].name);
	f->at = own->text.n;
	text_write_header(&own->text, f->name, true, str_of(table[which].help), table[which].type);
}

static void end(struct own_metrics *own)
{
	struct own_family *f = &own->families[own->n - 1];

	f->n = own->text.n - f->at;
}

static void sample(struct own_metrics *own, const char *suffix, const char *labels, double v)
{
	char num[NUM_MAX];

	strbuf_adds(&own->text, own->families[own->n - 1].name);
	strbuf_addz(&own->text, suffix);
	strbuf_addz(&own->text, labels);
	strbuf_addc(&own->text, ' ');
	strbuf_add(&own->text, num, num_format(v, num));
	strbuf_addc(&own->text, '\n');
}

static void single(struct own_metrics *own, enum own which, double v)
{
	begin(own, which);
	sample(own, "", "", v);
	end(own);
}

static void collect_process(struct own_metrics *own)
{
	struct procstat ps;

	procstat_read(&ps);
	single(own, CPU_SECONDS, ps.cpu_seconds);
	single(own, MAX_FDS, ps.max_fds);
	single(own, NET_RECEIVE, ps.received_bytes);
	single(own, NET_TRANSMIT, ps.sent_bytes);
	single(own, OPEN_FDS, ps.open_fds);
	single(own, RESIDENT, ps.resident_bytes);
	single(own, START_TIME, ps.start_time);
	single(own, VIRTUAL, ps.virtual_bytes);
	single(own, VIRTUAL_MAX, ps.max_virtual_bytes);
}

static void collect_build_info(struct own_metrics *own)
{
	begin(own, BUILD_INFO);
	sample(own, "",
	       "{branch=\"" VERSION_BRANCH "\",goarch=\"" VERSION_ARCH "\",goos=\"" VERSION_OS
	       "\",goversion=\"" VERSION_COMPILER "\",revision=\"" VERSION_REVISION
	       "\",tags=\"\",version=\"" VERSION "\"}",
	       1);
	end(own);
}

static void histogram(struct own_metrics *own, enum own which, const struct buckets_counts *c)
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

/* Like the Go gateway's, a method appears with its first push, and the family with it. */
static void summary(struct own_metrics *own, enum own which, struct quantiles *q)
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
					begin(own, REQUESTS);
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

static void by_reason(struct own_metrics *own, enum own which, const char *const *reasons,
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
	by_reason(own, REJECTED, counters_rejects, c->rejects, N_REJECTS);
	by_reason(own, REFUSED, counters_refusals, c->refusals, N_REFUSALS);
}

static void collect_expired(struct own_metrics *own, struct store *store)
{
	uint64_t n;
	char *job;

	size_t i = 0;

	for (; store_expired(store, i, &job, &n); i++) {
		const struct label label = { STR("job"), str_of(job) };
		CLEANUP(strbuf_done) struct strbuf labels = { 0 };

		if (i == 0)
			begin(own, GROUPS_EXPIRED);
		text_write_labels(&labels, &label, 1, false);
		sample(own, "", strbuf_z(&labels), (double)n);
		free(job);
	}
	if (i > 0)
		end(own);
}

static void collect_gateway(struct own_metrics *own, const struct own_sources *from)
{
	struct committer_stats cs = committer_stats(from->committer);
	struct store_counts counts = store_counts(from->store);

	histogram(own, BATCH_PUSHES, &cs.batch_pushes);
	histogram(own, COMMIT_SECONDS, &cs.commit_seconds);
	single(own, COMMIT_FAILURES, (double)cs.commit_failures);
	if (from->rules) {
		struct current_rules_state rules = current_rules_state(from->rules);

		single(own, CONFIG_OK, rules.last_ok);
		single(own, CONFIG_READ, (double)rules.taken_wall_ns / 1e9);
	}
	single(own, DATABASE_BYTES, (double)cs.database_bytes);
	single(own, DATABASE_LEFT_OUT, (double)counts.left_out);
	single(own, DATABASE_SALVAGED, (double)from->salvaged_groups);
	single(own, DATABASE_SET_ASIDE, from->database_set_aside);
	single(own, FAMILIES, (double)counts.families);
	single(own, GROUPS, (double)counts.groups);
	collect_expired(own, from->store);
	single(own, LOG_LINES_LOST, (double)log_lost());
	summary(own, PUSH_SECONDS, from->counters->push_seconds);
	summary(own, PUSH_BYTES, from->counters->push_bytes);
	collect_requests(own, from->counters);
	single(own, QUEUE_DEPTH, (double)queue_depth(from->queue));
	collect_rejected(own, from->counters);
	single(own, REPLIES_REFUSED, (double)from->counters->replies_refused);
	single(own, REPLY_BYTES, (double)bytes_detached());
	single(own, SERIES, (double)counts.series);
}

static void collect_http(struct own_metrics *own, const struct own_sources *from)
{
	struct http_stats hs = http_server_stats(from->server);

	single(own, CONNECTIONS, (double)hs.connections);
	single(own, CONNECTIONS_REFUSED, (double)hs.connections_refused);
	single(own, CROWDED, (double)hs.requests_crowded);
	single(own, MALFORMED, (double)hs.requests_malformed);
	single(own, RECEIVING, (double)hs.receiving);
	single(own, REPLIES_CUT, (double)hs.replies_cut);
	single(own, TIMED_OUT, (double)hs.requests_timed_out);
	single(own, TLS_FAILURES, (double)hs.tls_handshake_failures);
}

static int own_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct own_family *)a)->name, ((const struct own_family *)b)->name);
}

void own_collect(struct own_metrics *own, const struct own_sources *from)
{
	_Static_assert((int)N_OWN <= (int)OWN_MAX, "room for all of our own families");
	own->text = (struct strbuf){ 0 };
	own->n = 0;
	collect_process(own);
	collect_build_info(own);
	collect_gateway(own, from);
	collect_http(own, from);
	qsort(own->families, own->n, sizeof(own->families[0]), own_cmp);
}

void own_done(struct own_metrics *own)
{
	strbuf_done(&own->text);
}
