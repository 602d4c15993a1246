/* Content negotiation of scrapes. What each header gives is what the Go gateway 1.11 answered. */
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "format/accept_header.h"
#include "lib/run.h"

#define PROTO "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding="

static const struct row {
	const char *accept;
	enum exposition_format format;
	enum escaping escaping;
} go[] = {
	{ "text/plain", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "*/*", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ PROTO "delimited", FORMAT_PROTO, ESCAPE_UNDERSCORES },
	{ PROTO "text", FORMAT_PROTO_TEXT, ESCAPE_UNDERSCORES },
	{ PROTO "compact-text", FORMAT_PROTO_COMPACT, ESCAPE_UNDERSCORES },
	{ PROTO "DELIMITED", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "application/vnd.google.protobuf", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "text/plain;version=0.0.4", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "text/plain;version=1.0.0", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "text/*", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/"
	  "openmetrics-text;version=0.0.1;q=0.5,text/"
	  "plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
	  FORMAT_TEXT, ESCAPE_UTF8 },
	{ PROTO "delimited;q=0", FORMAT_PROTO, ESCAPE_UNDERSCORES },
	{ PROTO "delimited;q=0,text/plain", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ PROTO "delimited;q=0.5,text/plain;q=0.4", FORMAT_PROTO, ESCAPE_UNDERSCORES },
	{ "text/plain;q=0.4," PROTO "delimited;q=0.5", FORMAT_PROTO, ESCAPE_UNDERSCORES },
	{ "text/plain," PROTO "delimited", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ PROTO "delimited;q=x,text/plain;q=0.1", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "*/*;escaping=dots,text/plain;escaping=values", FORMAT_TEXT, ESCAPE_VALUES },
	{ "text/plain;escaping=nope", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "text/plain;escaping=dots;escaping=values", FORMAT_TEXT, ESCAPE_VALUES },
	{ "text/html;escaping=dots,text/plain", FORMAT_TEXT, ESCAPE_DOTS },
	{ "text/plain,text/html;escaping=dots", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "*/*;q=1;escaping=dots,text/plain;q=0.1;escaping=values", FORMAT_TEXT, ESCAPE_VALUES },
	{ "text/*;q=1;escaping=dots,text/plain;q=0.1", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "*;escaping=dots", FORMAT_TEXT, ESCAPE_DOTS },
	{ "text;escaping=dots", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "text/plain/x;escaping=dots", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "/;escaping=dots", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "text/;escaping=dots", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "text/plain; escaping = dots", FORMAT_TEXT, ESCAPE_DOTS },
	{ "text/plain;version=\"0.0.4\";escaping=dots", FORMAT_TEXT, ESCAPE_DOTS },
	{ "text/plain;escaping=\"dots\"", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "TEXT/PLAIN;escaping=dots", FORMAT_TEXT, ESCAPE_DOTS },
	{ "text/plain;escaping=DOTS", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "text/plain;version=;escaping=dots", FORMAT_TEXT, ESCAPE_DOTS },
	{ "text/plain;version;escaping=dots", FORMAT_TEXT, ESCAPE_DOTS },
	{ "text/plain;escaping=dots=values", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "text/plain;q= 0.5;escaping=dots, application/json;q=0.4;escaping=values", FORMAT_TEXT,
	  ESCAPE_DOTS },
	{ "text/plain;;escaping=dots", FORMAT_TEXT, ESCAPE_DOTS },
	{ ",,text/plain;escaping=dots", FORMAT_TEXT, ESCAPE_DOTS },
	{ "\ttext/plain\t;\tescaping\t=\tdots", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "text/plain;escaping=dots;q=0,application/json;escaping=values", FORMAT_TEXT,
	  ESCAPE_DOTS },
	{ PROTO "delimited;escaping=values;q=0.3,text/plain;version=1.0.0;escaping=dots;q=0.2,text/"
		"plain;q=0.1",
	  FORMAT_PROTO, ESCAPE_VALUES },
	{ PROTO "delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/"
		"openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	  FORMAT_PROTO, ESCAPE_UNDERSCORES },
	{ "text/plain;q=1.5;escaping=dots," PROTO "text;q=1.2", FORMAT_TEXT, ESCAPE_DOTS },
	{ "text/plain;q=-1," PROTO "text;q=-2", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "text/plain;q=inf;escaping=dots," PROTO "text", FORMAT_TEXT, ESCAPE_DOTS },
	{ "text/plain;q=nan," PROTO "text", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ PROTO "text;q=1e-3,text/plain;q=0.0005", FORMAT_PROTO_TEXT, ESCAPE_UNDERSCORES },
};

/* With OpenMetrics among the formats, which the Go gateway never has. */
static const struct row openmetrics[] = {
	{ "application/openmetrics-text", FORMAT_OPENMETRICS, ESCAPE_UNDERSCORES },
	{ "application/openmetrics-text;version=1.0.0", FORMAT_OPENMETRICS, ESCAPE_UNDERSCORES },
	{ "application/openmetrics-text;version=0.0.1", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "application/openmetrics-text;version=2.0.0", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
	  "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
	  FORMAT_OPENMETRICS, ESCAPE_UTF8 },
	{ PROTO "delimited,application/openmetrics-text;version=1.0.0;q=0.8", FORMAT_PROTO,
	  ESCAPE_UNDERSCORES },
	{ "text/plain,application/openmetrics-text;q=0.9", FORMAT_TEXT, ESCAPE_UNDERSCORES },
	{ "*/*", FORMAT_TEXT, ESCAPE_UNDERSCORES },
};

static void check(const struct row *r, bool with_openmetrics)
{
	size_t n = strlen(r->accept);
	CLEANUP(freep) char *copy = mem_dup(r->accept, n);
	struct accepted a = accept_parse((struct str){ copy, n }, with_openmetrics);

	ck_assert_msg(a.format == r->format && a.escaping == r->escaping, "%s: %d %d", r->accept,
		      (int)a.format, (int)a.escaping);
}

START_TEST(as_go)
{
	check(&go[_i], false);
}
END_TEST

START_TEST(with_openmetrics)
{
	check(&openmetrics[_i], true);
}
END_TEST

START_TEST(content_types)
{
	static const char *const want[N_FORMATS] = {
		"text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
		"application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
		"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
		"encoding=delimited; escaping=dots",
		"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
		"encoding=text; escaping=values",
		"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
		"encoding=compact-text; escaping=underscores",
	};
	char out[CONTENT_TYPE_MAX];

	for (int f = 0; f < N_FORMATS; f++)
		ck_assert_str_eq(
			accept_content_type((struct accepted){ (enum exposition_format)f,
							       (enum escaping)(f % N_ESCAPINGS) },
					    out),
			want[f]);
}
END_TEST

/* Further clauses than are looked at cost nothing and change nothing. */
START_TEST(many_clauses)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	strbuf_addz(&b, PROTO "delimited;q=0.5");
	for (int i = 0; i < 100000; i++)
		strbuf_addz(&b, ",text/html");
	ck_assert_int_eq((int)accept_parse(strbuf_str(&b), false).format, FORMAT_PROTO);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("accept");

	tcase_add_loop_test(tc, as_go, 0, ARRAY_LEN(go));
	tcase_add_loop_test(tc, with_openmetrics, 0, ARRAY_LEN(openmetrics));
	tcase_add_test(tc, content_types);
	tcase_add_test(tc, many_clauses);
	return run_cases("accept", tc);
}
