#include "expose/om_names.h"

#include <stdlib.h>

#include "base/array.h"
#include "format/sample_write.h"
#include "metrics/metric.h"

static int cmp_names(const void *a, const void *b)
{
	return str_cmp(((const struct om_name *)a)->name, ((const struct om_name *)b)->name);
}

void om_names_init(struct om_names *names, struct om_name *list, size_t n)
{
	*names = (struct om_names){ list, n };
	array_sort(list, n, cmp_names);
}

void om_names_done(struct om_names *names)
{
	free(names->list);
}

static struct om_name *find(const struct om_names *names, struct str name)
{
	const struct om_name key = { .name = name };

	return array_find(&key, names->list, names->n, cmp_names);
}

static const struct om_name *with_suffix(const struct om_names *names, struct str base,
					 struct str suffix)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };

	strbuf_adds(&name, base);
	strbuf_adds(&name, suffix);
	return find(names, strbuf_str(&name));
}

static bool has_many_samples(const struct om_name *n)
{
	return n && (n->type == METRIC_SUMMARY || n->type == METRIC_HISTOGRAM ||
		     n->type == METRIC_GAUGE_HISTOGRAM);
}

/* Whether a summary or histogram has a sample, or a time of creation, of this name. */
static bool is_sample(const struct om_names *names, struct str name)
{
	static const struct str suffixes[] = {
		{ "_count", 6 }, { "_sum", 4 }, { "_bucket", 7 }, { "_created", 8 }
	};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		struct str base = { name.p, name.n - suffixes[i].n };

		if (str_has_suffix(name, suffixes[i]) && has_many_samples(find(names, base)))
			return true;
	}
	return false;
}

static bool is_created_of_counter(const struct om_names *names, struct str name)
{
	const struct str created = STR("_created");

	return str_has_suffix(name, created) &&
	       with_suffix(names, (struct str){ name.p, name.n - created.n }, STR("_total"));
}

bool om_names_may_be_counter(const struct om_names *names, struct str name)
{
	struct str base;

	return sample_counter_base(name, &base) && !find(names, base) && !is_sample(names, base) &&
	       !is_created_of_counter(names, base);
}

bool om_names_is_counter(const struct om_names *names, struct str name)
{
	const struct om_name *created;
	struct str base;

	if (!om_names_may_be_counter(names, name) || !sample_counter_base(name, &base))
		return false;
	created = with_suffix(names, base, STR("_created"));
	return !created || created->created;
}

void om_names_set_created(struct om_names *names, struct str name)
{
	struct om_name *n = find(names, name);

	if (n)
		n->created = true;
}

bool om_names_is_owned(const struct om_names *names, struct str name)
{
	const struct str created = STR("_created");
	struct str base = { name.p, name.n - created.n };

	return str_has_suffix(name, created) && has_many_samples(find(names, base));
}
