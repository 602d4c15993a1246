#include "sim/sums.h"

#include <stdlib.h>

#include "base/num.h"
#include "lib/rng.h"

enum { DIGIT = 8 }; /* bits */

static uint64_t in_its_digit(const struct sums_request *r)
{
	return (uint64_t)r->count << (DIGIT * r->process);
}

bool sums_is_push(const struct sums_request *r)
{
	return r->kind == SUM_SAYS || r->kind == SUM_ADDS;
}

void sums_apply(struct sums *s, const struct sums_request *r, double now)
{
	uint64_t *said = &s->said[r->process], says = in_its_digit(r);

	switch (r->kind) {
	case SUM_SAYS:
		s->said_at = now;
		if (says > *said)
			*said = says;
		break;
	case SUM_GOES:
		s->said_at = 0;
		memset(s->said, 0, sizeof(s->said));
		break;
	case SUM_ADDS:
		if (s->ids >> r->id & 1)
			break;
		s->added_at = now;
		s->ids |= UINT64_C(1) << r->id;
		s->added += r->value;
		break;
	case ADDED_GOES:
		s->added_at = 0;
		s->ids = s->added = 0;
		break;
	default:
		break;
	}
}

/* ---- scrapes ---- */

static const char said_labels[] = "instance=\"\",job=\"sums\"";
static const char added_labels[] = "instance=\"\",job=\"added\"";

static void add_line(struct strbuf *out, const char *name, const char *labels, const char *more,
		     double v)
{
	char num[NUM_MAX];

	strbuf_addf(out, "%s{%s%s} ", name, labels, more);
	strbuf_add(out, num, num_format(v, num));
	strbuf_addc(out, '\n');
}

static void add_for_each(struct strbuf *out, const struct sums *s, const char *name, bool zero)
{
	const double at[] = { s->added_at, s->said_at };
	const char *const labels[] = { added_labels, said_labels };

	for (int i = 0; i < 2; i++)
		if (at[i] > 0)
			add_line(out, name, labels[i], "", zero ? 0 : at[i]);
}

void sums_expose(const struct sums *s, struct strbuf *out)
{
	uint64_t total = 0;

	for (int i = 0; i < SUM_PROCESSES; i++)
		total += s->said[i];
	add_for_each(out, s, "push_failure_time_seconds", true);
	add_for_each(out, s, "push_time_seconds", false);
	/* No push here is wrong, so no source fails. */
	add_for_each(out, s, "pushgateway_group_failing_sources", true);
	if (s->added_at > 0)
		add_line(out, "zz_added_total", added_labels, "", (double)s->added);
	if (s->said_at <= 0)
		return;
	add_line(out, "zz_seconds_bucket", said_labels, ",le=\"+Inf\"", (double)total);
	add_line(out, "zz_seconds_bucket", said_labels, ",le=\"1\"", (double)total);
	add_line(out, "zz_seconds_count", said_labels, "", (double)total);
	add_line(out, "zz_seconds_sum", said_labels, "", (double)total);
	add_line(out, "zz_sums_total", said_labels, "", (double)total);
}

static bool has(struct str line, const char *what)
{
	return memmem(line.p, line.n, what, strlen(what)) != NULL;
}

bool sums_have_line(struct str line)
{
	return has(line, said_labels) || has(line, added_labels);
}

bool sums_is_total(struct str line)
{
	return sums_have_line(line) && str_has_prefix(line, STR("zz_"));
}

void sums_shown(struct str scrape, double ret[N_SUMS_SHOWN])
{
	static const char *const counters[N_SUMS_SHOWN] = {
		[SUMS_TOTAL] = "\nzz_sums_total{", [SUMS_ADDED] = "\nzz_added_total{"
	};

	for (int i = 0; i < N_SUMS_SHOWN; i++) {
		const char *at = memmem(scrape.p, scrape.n, counters[i], strlen(counters[i]));
		const char *end = at ? memchr(at, '}', scrape.n - (size_t)(at - scrape.p)) : NULL;

		ret[i] = end ? strtod(end + 1, NULL) : -1;
	}
}

/* ---- what is pushed ---- */

static void random_process(uint64_t *rng, struct sums_clients *c, struct sums_request *r)
{
	r->process = rng_below(rng, SUM_PROCESSES);
	if (rng_one_in(rng, 20)) {
		r->kind = SUM_ENDS;
		return;
	}
	if (!rng_one_in(rng, 4) && c->counts[r->process] < SUM_MOST - 3)
		c->counts[r->process] += rng_below(rng, 4);
	r->count = c->counts[r->process];
	/* An older push comes late, or once more. */
	if (rng_one_in(rng, 6))
		r->count -= rng_below(rng, r->count < 3 ? r->count + 1 : 3);
	r->final = rng_one_in(rng, 8);
}

static void random_increment(uint64_t *rng, struct sums_clients *c, struct sums_request *r)
{
	unsigned n = c->ids - c->first_id;

	if (n == 0 || (c->ids < SUM_IDS && !rng_one_in(rng, 3))) {
		/* An increment is never 0: whether it was added could not be seen. */
		c->values[c->ids++] = 1 + rng_below(rng, 1000);
		n++;
	}
	r->kind = SUM_ADDS;
	/* The newest increments are tried again. */
	r->id = c->ids - 1 - rng_below(rng, n < 4 ? n : 4);
	r->value = c->values[r->id];
}

void sums_added_goes(struct sums_clients *c)
{
	c->first_id = c->ids;
}

void sums_random(uint64_t *rng, struct sums_clients *c, struct sums_request *ret)
{
	*ret = (struct sums_request){ .kind = SUM_SAYS };
	if (rng_one_in(rng, 40))
		ret->kind = rng_one_in(rng, 2) ? SUM_GOES : ADDED_GOES;
	else if (rng_one_in(rng, 3) && c->first_id < SUM_IDS)
		random_increment(rng, c, ret);
	else
		random_process(rng, c, ret);
}

static void add_body(const struct sums_request *r, bool openmetrics, struct strbuf *out)
{
	unsigned long long n = in_its_digit(r);

	if (r->kind == SUM_ADDS) {
		strbuf_addf(out, "# TYPE zz_added%s counter\nzz_added_total %u\n",
			    openmetrics ? "" : "_total", r->value);
	} else {
		strbuf_addf(out, "# TYPE zz_sums%s counter\nzz_sums_total %llu\n",
			    openmetrics ? "" : "_total", n);
		strbuf_addf(out,
			    "# TYPE zz_seconds histogram\nzz_seconds_bucket{le=\"1.0\"} %llu\n"
			    "zz_seconds_bucket{le=\"+Inf\"} %llu\nzz_seconds_sum %llu\n"
			    "zz_seconds_count %llu\n",
			    n, n, n, n);
	}
	if (openmetrics)
		strbuf_addz(out, "# EOF\n");
}

static void add_path(const struct sums_request *r, struct strbuf *out)
{
	switch (r->kind) {
	case SUM_GOES:
		strbuf_addz(out, "/sum/metrics/job/sums");
		break;
	case ADDED_GOES:
		strbuf_addz(out, "/add/metrics/job/added");
		break;
	case SUM_ADDS:
		strbuf_addf(out, "/add/metrics/job/added/__push_id__/id%u", r->id);
		break;
	case SUM_ENDS:
		strbuf_addf(out, "/sum/metrics/job/sums/pid/%u", r->process % SUM_PIDS);
		break;
	default:
		strbuf_addf(out, "/sum/metrics/job/sums/pid/%u/__start__/%u%s",
			    r->process % SUM_PIDS, 1000 * (1 + r->process / SUM_PIDS),
			    r->final ? "/__final__/1" : "");
	}
}

void sums_add_bytes(uint64_t *rng, const struct sums_request *r, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	bool pushes = sums_is_push(r);
	bool openmetrics = pushes && rng_one_in(rng, 3);

	strbuf_addz(out, !pushes ? "DELETE " : rng_one_in(rng, 2) ? "PUT " : "POST ");
	add_path(r, out);
	strbuf_addz(out, " HTTP/1.1\r\nHost: x\r\n");
	if (pushes)
		add_body(r, openmetrics, &body);
	if (openmetrics)
		strbuf_addz(out, "Content-Type: application/openmetrics-text; version=1.0.0\r\n");
	strbuf_addf(out, "Content-Length: %zu\r\n\r\n", body.n);
	strbuf_adds(out, strbuf_str(&body));
}
