/* What processes push to summed groups. */
#include "lib/rng.h"
#include "sim/sums.h"

#define SUM_OWN_TTL_PATH "/__ttl__/9s"
enum { SUM_OWN_TTL = 9 };

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
	/* Without one it follows from the rules. */
	r->own_ttl = c->own_ttls && r->process % SUM_PIDS == 0;
	r->source_ttl = r->own_ttl ? SUM_OWN_TTL : 0;
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
	if (rng_one_in(rng, 40)) {
		ret->kind = rng_one_in(rng, 2) ? SUM_GOES : ADDED_GOES;
	} else if (c->by_rules && rng_one_in(rng, 12)) {
		ret->kind = SUM_PLAIN;
		ret->value = rng_below(rng, 1000);
	} else if (rng_one_in(rng, 3) && c->first_id < SUM_IDS) {
		random_increment(rng, c, ret);
	} else {
		random_process(rng, c, ret);
	}
	ret->by_rule = c->by_rules && (ret->kind == SUM_PLAIN || rng_one_in(rng, 2));
}

static void add_counter(const char *name, unsigned long long n, bool openmetrics,
			struct strbuf *out)
{
	strbuf_addf(out, "# TYPE %s%s counter\n%s_total %llu\n", name, openmetrics ? "" : "_total",
		    name, n);
}

static void add_body(const struct sums_request *r, bool openmetrics, struct strbuf *out)
{
	unsigned long long n = sums_in_its_digit(r);

	if (r->kind == SUM_ADDS) {
		add_counter("zz_added", r->value, openmetrics, out);
	} else {
		add_counter("zz_sums", r->kind == SUM_PLAIN ? r->value : n, openmetrics, out);
	}
	if (r->kind == SUM_SAYS)
		strbuf_addf(out,
			    "# TYPE zz_in_progress gauge\nzz_in_progress %u\n"
			    "# TYPE zz_seconds histogram\nzz_seconds_bucket{le=\"1.0\"} %llu\n"
			    "zz_seconds_bucket{le=\"+Inf\"} %llu\nzz_seconds_sum %llu\n"
			    "zz_seconds_count %llu\n",
			    1u << r->process, n, n, n, n);
	if (openmetrics)
		strbuf_addz(out, "# EOF\n");
}

static void add_path(const struct sums_request *r, struct strbuf *out)
{
	bool added = r->kind == SUM_ADDS || r->kind == ADDED_GOES;

	strbuf_addf(out, "%s/metrics/job/%s",
		    r->by_rule ? ""
		    : added    ? "/add"
			       : "/sum",
		    added ? "added" : "sums");
	switch (r->kind) {
	case SUM_ADDS:
		strbuf_addf(out, "/__push_id__/id%u", r->id);
		break;
	case SUM_ENDS:
		strbuf_addf(out, "/pid/%u", r->process % SUM_PIDS);
		break;
	case SUM_SAYS:
		strbuf_addf(out, "/pid/%u/__start__/%u%s%s", r->process % SUM_PIDS,
			    1000 * (1 + r->process / SUM_PIDS), r->final ? "/__final__/1" : "",
			    r->own_ttl ? SUM_OWN_TTL_PATH : "");
		break;
	default:
		break;
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
