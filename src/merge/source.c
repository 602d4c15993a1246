#include "merge/source.h"

#include <math.h>

#include "base/seconds.h"

enum { SAID = 0xFF };

static const struct str usual_labels[] = { { "instance", 8 }, { "pid", 3 }, { "worker", 6 } };

static int arena_full(struct err *err)
{
	return err_set(err, ERR_TOO_LARGE, 0,
		       "the push needs more memory than one push may take (--limits.body-size)");
}

static bool names_source(const struct source_options *o, struct str label)
{
	const struct str *list = o->labels ? o->labels : usual_labels;
	uint32_t n = o->labels ? o->n_labels : (uint32_t)ARRAY_LEN(usual_labels);

	if (o->has_source || str_eq(label, STR("job")))
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (str_eq(list[i], label))
			return true;
	return false;
}

/* The value of the first metric without labels of its own in that family. */
static bool find_start(const struct family *families, double *ret)
{
	for (const struct family *f = families; f; f = f->next) {
		const struct metric *m = f->metrics;

		if (!str_eq(f->name, STR("process_start_time_seconds")))
			continue;
		for (; m; m = m->next) {
			double v = m->has & HAS_GAUGE ? m->gauge : m->untyped;

			if (m->n_labels == 0 && m->has & (HAS_GAUGE | HAS_UNTYPED) && v > 0 &&
			    seconds_are_time(v)) {
				*ret = v;
				return true;
			}
		}
	}
	return false;
}

static struct str name_of(const struct key *labels, const struct source_options *o, struct arena *a)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	if (o->has_source) {
		strbuf_addc(&b, (char)SAID);
		strbuf_adds(&b, o->source);
	}
	key_encode(labels, &b);
	return arena_dup(a, strbuf_str(&b));
}

int source_split(const struct key *key, const struct source_options *o,
		 const struct family *families, bool need, struct arena *a, struct key *ret_group,
		 struct source *ret, struct err *err)
{
	struct key group = *key, from = { 0 };

	group.n_labels = 0;
	group.labels = arena_alloc(a, key->n_labels * sizeof(*group.labels));
	from.labels = arena_alloc(a, key->n_labels * sizeof(*from.labels));
	if (!group.labels || !from.labels)
		return arena_full(err);
	for (uint32_t i = 0; i < key->n_labels; i++) {
		struct key *to = names_source(o, key->labels[i].name) ? &from : &group;

		to->labels[to->n_labels++] = key->labels[i];
	}
	*ret = (struct source){ .has_start = o->has_start, .start = o->start };
	if (!ret->has_start)
		ret->has_start = find_start(families, &ret->start);
	ret->name = name_of(&from, o, a);
	if (!ret->name.p)
		return arena_full(err);
	*ret_group = group;
	if (!need || ret->name.n > 0 || ret->has_start)
		return 0;
	return err_set(
		err, ERR_INVALID, 0,
		"the group is summed over its sources, and this push does not say whose it "
		"is; in Python: push_to_gateway(\"HOST:9091\", job=\"celery\", "
		"grouping_key={\"instance\": socket.gethostname(), \"pid\": "
		"str(os.getpid())}, registry=registry); or put __source__/NAME into the URL");
}

static bool is_stripped(struct str name, const struct key *key, const struct key *group)
{
	uint32_t j = 0;

	for (uint32_t i = 0; i < key->n_labels; i++) {
		bool stays = j < group->n_labels &&
			     str_eq(group->labels[j].name, key->labels[i].name);

		j += stays;
		if (!stays && str_eq(key->labels[i].name, name))
			return true;
	}
	return false;
}

static int strip_metric(struct metric *m, const struct key *key, const struct key *group,
			struct arena *a, struct err *err)
{
	uint32_t kept = 0;
	struct label *labels;

	for (uint32_t i = 0; i < m->n_labels; i++)
		kept += !is_stripped(m->labels[i].name, key, group);
	if (kept == m->n_labels)
		return 0;
	labels = arena_alloc(a, (kept + 1) * sizeof(*labels));
	if (!labels)
		return arena_full(err);
	kept = 0;
	for (uint32_t i = 0; i < m->n_labels; i++)
		if (!is_stripped(m->labels[i].name, key, group))
			labels[kept++] = m->labels[i];
	m->labels = labels;
	m->n_labels = kept;
	return 0;
}

int source_strip(struct family *families, const struct key *key, const struct key *group,
		 struct arena *a, struct err *err)
{
	if (key->n_labels == group->n_labels)
		return 0;
	for (struct family *f = families; f; f = f->next)
		for (struct metric *m = f->metrics; m; m = m->next)
			if (strip_metric(m, key, group, a, err) < 0)
				return -1;
	return 0;
}

bool source_same_start(double a, double b)
{
	double hundredths = round(a * 100), other = round(b * 100);
	double apart = fabs(hundredths - other);

	if (a == b)
		return true;
	return (apart == 100 || apart == 200) && fmod(hundredths, 100) != 0;
}
