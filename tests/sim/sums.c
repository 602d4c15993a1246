#include "sim/sums.h"

#include <stdlib.h>

#include "base/num.h"
#include "lib/fold_order.h"
#include "metrics/key.h"

enum { DIGIT = 8 }; /* bits */
enum { SUM_STARTS = SUM_PROCESSES / SUM_PIDS };

uint64_t sums_in_its_digit(const struct sums_request *r)
{
	return (uint64_t)r->count << (DIGIT * r->process);
}

bool sums_is_push(const struct sums_request *r)
{
	return r->kind == SUM_SAYS || r->kind == SUM_ADDS || r->kind == SUM_PLAIN;
}

static void note_heard(struct sums_life *life, const struct sums_request *r, double now,
		       int64_t now_ns)
{
	*life = (struct sums_life){ now, now_ns, r->ttl };
}

void sums_fold(struct sim_sums *s, unsigned processes)
{
	for (int i = 0; i < SUM_PROCESSES; i++)
		if (processes >> i & 1 && s->sources[i].known) {
			for (int k = 0; k < SUM_KINDS; k++) {
				s->bases[k] += s->sources[i].says;
				s->in_base[k] = true;
			}
			s->folded |= 1u << i;
			s->sources[i] = (struct sums_source){ .known = false };
		}
}

void sums_silence(struct sim_sums *s, unsigned processes)
{
	for (int i = 0; i < SUM_PROCESSES; i++)
		s->sources[i].live &= !(processes >> i & 1);
}

/* The place of a process in the order of lib/fold_order.h. */
static int place_of(int process)
{
	return process % SUM_PIDS * SUM_STARTS + process / SUM_PIDS;
}

/* ret: by place. Returns how many there are. */
static int list_sources(const struct sim_sums *s, struct fold_source ret[SUM_PROCESSES])
{
	int n = 0;

	for (int i = 0; i < SUM_PROCESSES; i++) {
		const struct sums_source *p = &s->sources[i];

		ret[place_of(i)] = (struct fold_source){ p->known, p->ended, p->live, p->heard_at };
		n += p->known;
	}
	return n;
}

static void make_room(struct sim_sums *s, const struct sums_request *r)
{
	struct fold_source all[SUM_PROCESSES];
	bool folds[SUM_PROCESSES];
	int n = list_sources(s, all);

	fold_first(all, SUM_PROCESSES, SUM_STARTS, place_of((int)r->process), n - r->max_sources,
		   folds);
	for (int i = 0; i < SUM_PROCESSES; i++)
		if (folds[place_of(i)])
			sums_fold(s, 1u << i);
}

static void note_shown(struct sim_sums *s, int series, double now, int64_t now_ns)
{
	if (s->since[series] != 0)
		return;
	s->since[series] = now;
	s->since_ns[series] = now_ns;
}

static void forget_shown(struct sim_sums *s, int series)
{
	s->since[series] = 0;
	s->counted[series] = false;
	s->over_ns[series] = 0;
}

static void tell(struct sim_sums *s, const struct sums_request *r, double now, int64_t now_ns)
{
	struct sums_source *p = &s->sources[r->process];
	uint64_t says = sums_in_its_digit(r);

	if ((s->lives[SUMS_TOTAL].heard_at <= 0 || s->is_plain) && s->born_at[SUMS_TOTAL] != now) {
		s->folded = 0;
		s->born_at[SUMS_TOTAL] = now;
	}
	s->counted[ZERO_TOTAL] |= s->is_plain;
	s->counted[ZERO_HISTOGRAM] |= s->is_plain;
	s->is_plain = false;
	note_heard(&s->lives[SUMS_TOTAL], r, now, now_ns);
	note_shown(s, ZERO_TOTAL, now, r->decided_ns);
	note_shown(s, ZERO_HISTOGRAM, now, r->decided_ns);
	for (int k = 0; k < SUM_KINDS; k++)
		if (!p->known && s->in_base[k] && s->folded >> r->process & 1)
			s->bases[k] -= says;
	if (!p->known || says > p->says)
		p->says = says;
	p->known = true;
	p->live = !r->final;
	p->ended = r->final;
	p->ttl = r->source_ttl;
	p->heard_at = now;
	p->heard_ns = now_ns;
}

static unsigned count_values(const struct sim_sums *s)
{
	unsigned n = 0;

	for (int i = 0; i < SUM_PROCESSES; i++)
		n += s->sources[i].known ? SUMS_SOURCE_VALUES : 0;
	return n;
}

/* Folds those that have ended, are silent, or have a newer start. */
static void fold_spent(struct sim_sums *s, unsigned but)
{
	struct fold_source all[SUM_PROCESSES];
	unsigned spent = 0;

	list_sources(s, all);
	for (int i = 0; i < SUM_PROCESSES; i++)
		if (fold_is_spent(all, SUM_STARTS, place_of(i)) &&
		    !(i == (int)but && s->sources[i].live))
			spent |= 1u << i;
	sums_fold(s, spent);
}

/* Room is not looked for again within a second after there was none. */
static int say(struct sim_sums *s, const struct sums_request *r, double now, int64_t now_ns,
	       int status)
{
	struct sim_sums before = *s;
	bool over;

	tell(s, r, now, now_ns);
	over = r->few_values && count_values(s) > SUMS_MOST_VALUES &&
	       count_values(s) > count_values(&before);
	if (over)
		fold_spent(s, r->process);
	if (count_values(s) <= SUMS_MOST_VALUES || !over) {
		if (!(over && r->looked && status == 507)) {
			make_room(s, r);
			return 200;
		}
	}
	*s = before;
	return 507;
}

/* The first push to a group is never a repeated one. */
static void add(struct sim_sums *s, const struct sums_request *r, double now, int64_t now_ns)
{
	bool made = s->lives[SUMS_ADDED].heard_at <= 0;

	if (!made && s->ids >> r->id & 1)
		return;
	if (made && s->born_at[SUMS_ADDED] != now) {
		s->ids = 0;
		s->born_at[SUMS_ADDED] = now;
	}
	note_heard(&s->lives[SUMS_ADDED], r, now, now_ns);
	note_shown(s, ZERO_ADDED, now, r->decided_ns);
	s->ids |= UINT64_C(1) << r->id;
	s->added += r->value;
}

static void end_source(struct sim_sums *s, unsigned pid)
{
	for (unsigned i = pid; i < SUM_PROCESSES; i += SUM_PIDS) {
		s->sources[i].live = false;
		s->sources[i].ended = s->sources[i].known;
	}
}

void sums_end(struct sim_sums *s, int which)
{
	s->lives[which] = (struct sums_life){ .ttl = 0 };
	if (which == SUMS_ADDED) {
		s->added = 0;
		forget_shown(s, ZERO_ADDED);
		return;
	}
	forget_shown(s, ZERO_TOTAL);
	forget_shown(s, ZERO_HISTOGRAM);
	memset(s->sources, 0, sizeof(s->sources));
	s->is_plain = false;
	memset(s->bases, 0, sizeof(s->bases));
	memset(s->in_base, 0, sizeof(s->in_base));
}

void sums_bring_back(struct sim_sums *s, const struct sim_sums *before)
{
	s->lives[SUMS_TOTAL] = before->lives[SUMS_TOTAL];
	memcpy(s->sources, before->sources, sizeof(s->sources));
	s->is_plain = before->is_plain;
	memcpy(s->bases, before->bases, sizeof(s->bases));
	memcpy(s->in_base, before->in_base, sizeof(s->in_base));
	s->folded = before->folded;
	memcpy(s->since, before->since, ZERO_ADDED * sizeof(*s->since));
	memcpy(s->since_ns, before->since_ns, ZERO_ADDED * sizeof(*s->since_ns));
	memcpy(s->counted, before->counted, ZERO_ADDED * sizeof(*s->counted));
	s->born_at[SUMS_TOTAL] = before->born_at[SUMS_TOTAL];
}

/* A plain push, or one whose values the group begins with once it is summed. */
static int push_plain(struct sim_sums *s, const struct sums_request *r, double now, int64_t now_ns)
{
	if (s->lives[SUMS_TOTAL].heard_at > 0 && !s->is_plain)
		return 409;
	note_heard(&s->lives[SUMS_TOTAL], r, now, now_ns);
	s->is_plain = s->in_base[SUM_COUNTER] = true;
	s->bases[SUM_COUNTER] = r->value;
	return 200;
}

int sums_apply(struct sim_sums *s, const struct sums_request *r, double now, int64_t now_ns,
	       int status)
{
	switch (r->kind) {
	case SUM_SAYS:
		return say(s, r, now, now_ns, status);
	case SUM_PLAIN:
		return push_plain(s, r, now, now_ns);
	case SUM_ENDS:
		/* Of a group that is not there. */
		if (!r->is_plain)
			end_source(s, r->process % SUM_PIDS);
		break;
	case SUM_GOES:
		sums_end(s, SUMS_TOTAL);
		break;
	case SUM_ADDS:
		add(s, r, now, now_ns);
		break;
	case ADDED_GOES:
		sums_end(s, SUMS_ADDED);
		break;
	default:
		break;
	}
	return sums_is_push(r) ? 200 : 202;
}

unsigned sums_process_of(struct str name, double start)
{
	struct str pid = key_value(name, STR("pid"));

	if (pid.n != 1)
		return 0;
	return 1u << ((unsigned)(pid.p[0] - '0') + SUM_PIDS * ((unsigned)start / 1000 - 1));
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

enum time_line { FAILED_AT, PUSHED_AT, FAILING };

static void add_for_each(struct strbuf *out, const struct sim_sums *s, const char *name,
			 enum time_line which)
{
	const double at[] = { s->lives[SUMS_ADDED].heard_at, s->lives[SUMS_TOTAL].heard_at };
	const char *const labels[] = { added_labels, said_labels };

	for (int i = 0; i < 2; i++)
		if (at[i] > 0 && !(which == FAILING && i == 1 && s->is_plain))
			add_line(out, name, labels[i], "", which == PUSHED_AT ? at[i] : 0);
}

static double unless(bool zero, uint64_t n)
{
	return zero ? 0 : (double)n;
}

static void add_processes(struct strbuf *out, const struct sim_sums *s, unsigned zeros)
{
	uint64_t totals[SUM_KINDS];
	unsigned live = 0;

	memcpy(totals, s->bases, sizeof(totals));
	for (int i = 0; i < SUM_PROCESSES; i++) {
		for (int k = 0; k < SUM_KINDS; k++)
			totals[k] += s->sources[i].says;
		live |= s->sources[i].live ? 1u << i : 0;
	}
	if (live)
		add_line(out, "zz_in_progress", said_labels, "", live);
	if (!s->is_plain) {
		double n = unless(zeros >> ZERO_HISTOGRAM & 1, totals[SUM_HISTOGRAM]);

		add_line(out, "zz_seconds_bucket", said_labels, ",le=\"+Inf\"", n);
		add_line(out, "zz_seconds_bucket", said_labels, ",le=\"1\"", n);
		add_line(out, "zz_seconds_count", said_labels, "", n);
		add_line(out, "zz_seconds_sum", said_labels, "", n);
	}
	add_line(out, "zz_sums_total", said_labels, "",
		 unless(zeros >> ZERO_TOTAL & 1, totals[SUM_COUNTER]));
}

void sums_expose(const struct sim_sums *s, unsigned zeros, struct strbuf *out)
{
	add_for_each(out, s, "push_failure_time_seconds", FAILED_AT);
	add_for_each(out, s, "push_time_seconds", PUSHED_AT);
	/* No push here is wrong, so no source fails. */
	add_for_each(out, s, "pushgateway_group_failing_sources", FAILING);
	if (s->lives[SUMS_ADDED].heard_at > 0)
		add_line(out, "zz_added_total", added_labels, "",
			 unless(zeros >> ZERO_ADDED & 1, s->added));
	if (s->lives[SUMS_TOTAL].heard_at > 0)
		add_processes(out, s, zeros);
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

/* The value of the first sample that begins so; -1: there is none. */
static double value_of(struct str scrape, const char *begin)
{
	const char *at = scrape.n ? memmem(scrape.p, scrape.n, begin, strlen(begin)) : NULL;
	const char *end = at ? memchr(at, '}', scrape.n - (size_t)(at - scrape.p)) : NULL;

	return end ? strtod(end + 1, NULL) : -1;
}

void sums_shown(struct str scrape, double ret[N_SUMS_SHOWN])
{
	ret[SUMS_TOTAL] = value_of(scrape, "\nzz_sums_total{");
	ret[SUMS_ADDED] = value_of(scrape, "\nzz_added_total{");
}

/* ---- zeros ---- */

static bool is_long_ago(double since, double wall)
{
	return wall >= since + SUMS_ZERO_FIRST;
}

/* Of the time that has to pass each clock may have seen a part. */
static bool may_be_over(const struct sim_sums *s, const struct sums_clock *clock, int series)
{
	double passed = (double)(clock->now_ns - s->since_ns[series]) / 1e9;

	return is_long_ago(s->since[series], clock->latest_wall + passed);
}

/* A gateway that has waited for longer than that has looked at the clock again. */
static bool shows_count(const struct sim_sums *s, const struct sums_clock *clock, int series)
{
	return !clock->zero_first || s->counted[series] ||
	       (s->over_ns[series] && !clock->stepped_back && !clock->may_wait &&
		clock->now_ns > s->over_ns[series] + SUMS_ZERO_FIRST * INT64_C(1000000000));
}

unsigned sums_zeros(const struct sim_sums *s, const struct sums_clock *clock, struct str scrape)
{
	static const char *const begin[N_ZEROS] = { "\nzz_sums_total{", "\nzz_seconds_count{",
						    "\nzz_added_total{" };
	unsigned zeros = 0;

	for (int i = 0; i < N_ZEROS; i++) {
		bool may = !shows_count(s, clock, i);
		bool must = may && !may_be_over(s, clock, i);

		if (must || (may && value_of(scrape, begin[i]) == 0))
			zeros |= 1u << i;
	}
	return zeros;
}

void sums_look(struct sim_sums *s, const struct sums_clock *clock)
{
	for (int i = 0; i < N_ZEROS; i++)
		if (!s->since[i] || !is_long_ago(s->since[i], clock->wall))
			s->over_ns[i] = 0;
		else if (!s->over_ns[i])
			s->over_ns[i] = clock->now_ns;
}
