#include "format/family_add.h"
#include "format/openmetrics/internal.h"

static bool is_time(const struct text_series *s, struct timestamp *ret_ts)
{
	return s->has_value && om_timestamp(s->created, ret_ts);
}

static void set_time(struct metric *m, const struct timestamp *ts)
{
	if (m->summary)
		m->summary->created = *ts;
	else if (m->histogram)
		m->histogram->created = *ts;
	else
		m->counter_created = *ts;
}

/* A metric that has a time of creation and no other line: x_created is then a gauge of its own. */
static int add_gauge(struct text_parser *p, struct text_family *gauges, const struct text_series *s)
{
	struct metric *m = arena_alloc(p->arena, sizeof(*m));

	if (!m)
		return text_no_memory(p);
	*m = (struct metric){
		.labels = s->m.labels,
		.n_labels = s->m.n_labels,
		.line = s->m.line,
		.plain = s->m.plain,
		.has = HAS_GAUGE,
		.gauge = s->created,
	};
	family_add(&gauges->pub, m);
	return 0;
}

static struct text_family *new_gauges(struct text_parser *p, struct str base)
{
	struct str name = om_with_suffix(p->arena, base, STR("_created"));
	struct text_family *gauges = name.p ? text_add_family(p, name) : NULL;

	if (gauges)
		text_set_type(gauges, METRIC_GAUGE);
	else
		text_no_memory(p);
	return gauges;
}

int om_settle_created(struct om_parser *o, struct om_family *of)
{
	struct family *f = &of->family->pub;
	struct metric **place = &f->metrics, *kept = NULL;
	struct text_family *gauges = NULL;

	if (f->type != METRIC_COUNTER && f->type != METRIC_SUMMARY && f->type != METRIC_HISTOGRAM)
		return 0;
	for (struct metric *m = f->metrics; m; m = m->next) {
		struct text_series *s = (struct text_series *)m;
		struct timestamp ts;

		if (s->has_created && is_time(s, &ts))
			set_time(m, &ts);
		else if (s->has_created) {
			if (!gauges)
				gauges = new_gauges(&o->p, of->name);
			if (!gauges || add_gauge(&o->p, gauges, s) < 0)
				return -1;
		}
		if (!s->has_value) {
			f->n_metrics--;
			continue;
		}
		*place = kept = m;
		place = &m->next;
	}
	*place = NULL;
	f->last = kept;
	return 0;
}
