/* The text parser with what it returns. */
#ifndef TESTS_UNIT_FORMAT_TEXT_RESULT_H
#define TESTS_UNIT_FORMAT_TEXT_RESULT_H

#include <stdlib.h>

#include "base/mem.h"
#include "format/text/parse.h"
#include "lib/render.h"

#define HIST "# TYPE h histogram\n"
#define SUMM "# TYPE s summary\n"

static const struct decode_limits generous = {
	.max_labels = 64,
	.max_label_name = 256,
	.max_label_value = 256,
	.max_series = 1000,
};

/* Result of one parse: what it rendered to, or the error. */
struct result {
	int r;
	struct err err;
	struct strbuf text;
};

static inline struct result parse(struct str body, const struct decode_limits *lim, size_t memory)
{
	struct result res = { 0 };
	struct family *families = NULL;
	/* Exactly as large as the body, so that a sanitizer sees one byte too many. */
	CLEANUP(freep) char *copy = mem_dup(body.p, body.n);
	struct arena a;

	arena_init(&a, memory);
	res.r = text_parse((struct str){ copy, body.n }, lim, &a, &families, &res.err);
	if (res.r == 0)
		render_families(families, &res.text);
	arena_done(&a);
	return res;
}

static const char *const bodies[] = {
	"# HELP a help \\\\ \\n text\n# TYPE a counter\na{b=\"c\\\"d\",e=\"\"} 1.5e3\na 2 17\n\n  "
	"# x\n",
	SUMM "s{quantile=\"0.5\",x=\"1\"} 1\ns_sum{x=\"1\"} 3\ns_count{x=\"1\"} 4\n",
	HIST "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2.5\n",
	"# TYPE \"a\" gauge\n{\"a\", \"b\"=\"\\\\\",} 1\n{c=\"d\",a} 1\n\"a\\\"b\"{} 2 \t 3\nx\"y "
	"z\" 1\n",
	"a 1\nb 2\nc 3\nd 4\ne 5\nf 6\ng 7\nh 8\ni 9\nj 10\nk 11\nl 12\nm 13\nn 14\n",
};

#endif
