/*
 * Reads a live Go Pushgateway through its API: /api/v1/metrics has the groups, the time of each
 * family's push, and most values; a protobuf scrape has the rest of each series.
 */
#ifndef IMPORT_JSON_H
#define IMPORT_JSON_H

#include "import/import.h"
#include "import/scrape.h"

/*
 * Adds all groups of the answer of GET /api/v1/metrics. A series is taken from the scrape if it is
 * there, and otherwise from the JSON, unless JSON does not show it in full: then it is left out.
 * scrape may be NULL. -1: *err says in what way this is not such an answer; import_commit() must
 * not follow.
 */
int import_json(struct str json, struct source_scrape *scrape, struct import *im, struct err *err);

#endif
