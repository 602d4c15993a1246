/*
 * A protobuf scrape of another gateway, searchable by series. It has what /api/v1/metrics does not
 * show (native histograms, exemplars, creation times, units, unknown fields), but no groups.
 */
#ifndef IMPORT_SCRAPE_H
#define IMPORT_SCRAPE_H

#include "base/err.h"
#include "metrics/metric.h"

struct source_scrape;

struct scraped {
	/*
	 * The series' Metric message, with the tag and length that it has as a field of its
	 * MetricFamily. .p NULL: the scrape has no such series.
	 */
	struct str metric;
	/* Of the family, the same for all of its series. */
	struct str unit;
	bool empty_help; /* the family has a help text, and it is empty */
	int32_t type;
};

/* Borrows body, delimited MetricFamily messages, until scrape_free(). -1: it is something else. */
int scrape_read(struct str body, struct source_scrape **ret, struct err *err);
/* NULL is fine. */
void scrape_free(struct source_scrape *s);
DEFINE_CLEANUP(struct source_scrape *, scrape_free)

/* labels: sorted by name. s may be NULL, a scrape without any series. */
struct scraped scrape_find(struct source_scrape *s, struct str family, const struct label *labels,
			   uint32_t n_labels);

#endif
