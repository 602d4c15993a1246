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
	struct str metric; /* as the field that it is of its family's message; .p NULL: not there */
	/* Of the family. */
	struct str unit;
	bool empty_help; /* there is one, without a text */
	int32_t type;
};

/* Borrows body, delimited MetricFamily messages, until scrape_free(). -1: it is something else. */
int scrape_read(struct str body, struct source_scrape **ret, struct err *err);
/* NULL is fine. */
void scrape_free(struct source_scrape *s);
DEFINE_CLEANUP(struct source_scrape *, scrape_free)

/* The labels are sorted by name. s NULL: nothing is there. */
struct scraped scrape_find(struct source_scrape *s, struct str family, const struct label *labels,
			   uint32_t n_labels);

#endif
