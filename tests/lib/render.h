/*
 * Writes parsed families as text that the text parser reads back, for tests to compare: one line
 * for each sample in the order pushed. The type `untyped` is left out, names that are not classic
 * are quoted, buckets are samples of the histogram's own name, and a comment marks float
 * histograms.
 */
#ifndef TESTS_LIB_RENDER_H
#define TESTS_LIB_RENDER_H

#include "base/str.h"
#include "metrics/metric.h"

void render_families(const struct family *families, struct strbuf *out);

#endif
