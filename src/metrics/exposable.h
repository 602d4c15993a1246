/*
 * Which names can be exposed in every form that a scrape may ask for: as they are, and in each
 * escaping scheme (metrics/escape.h). The Go gateway accepts other names too, and a scraper refuses
 * the whole scrape over one of them.
 */
#ifndef METRICS_EXPOSABLE_H
#define METRICS_EXPOSABLE_H

#include "base/str.h"
#include "metrics/metric.h"

/*
 * What is wrong with a name, in words that go behind it ("holds a NUL ..."); NULL: nothing. These
 * functions do not ask whether it is empty or begins with "__".
 */
const char *exposable_metric_fault(struct str name);
const char *exposable_label_fault(struct str name);

/*
 * Finds labels that are exposed with the same name. Remembers the names that it looked at last, so
 * that metrics with the same labels are not looked at again.
 */
struct label_names {
	struct strbuf last, forms; /* `last`: the names looked at last, each behind its length;
				      `forms`: those names in one scheme */
	struct label_form *list;
	uint32_t cap;
};

void label_names_done(struct label_names *n);

/*
 * Whether two of the labels, sorted by name and each name there once, have the same name in some
 * scheme; *ret_a and *ret_b are these two. Costs what sorting the names does.
 */
bool label_names_clash(struct label_names *n, const struct label *labels, uint32_t n_labels,
		       struct str *ret_a, struct str *ret_b);

#endif
