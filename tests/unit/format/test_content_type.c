#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "format/content_type.h"
#include "lib/run.h"

#define TYPE "application/vnd.google.protobuf"
#define PROTO "proto=io.prometheus.client.MetricFamily"
#define DELIMITED "encoding=delimited"
#define ALL TYPE ";" PROTO ";" DELIMITED

static const struct {
	const char *name, *content_type;
	bool protobuf;
} rows[] = {
	{ "as clients send it", ALL, true },
	{ "spaces", TYPE "; " PROTO "; " DELIMITED, true },
	{ "spaces everywhere", " " TYPE " ;\t" PROTO " ; " DELIMITED " ", true },
	{ "spaces around equals signs",
	  TYPE "; proto = io.prometheus.client.MetricFamily; encoding = delimited", true },
	{ "other order", TYPE ";" DELIMITED ";" PROTO, true },
	{ "upper-case type and names",
	  "APPLICATION/VND.Google.Protobuf; Proto=io.prometheus.client.MetricFamily; "
	  "Encoding=delimited",
	  true },
	{ "quoted values and one more",
	  TYPE "; proto=\"io.prometheus.client.MetricFamily\"; encoding=\"delimited\"; "
	       "escaping=underscores",
	  true },
	{ "quoted pair", TYPE ";" PROTO "; encoding=\"deli\\mited\"", true },
	{ "quoted semicolon in another", TYPE ";" PROTO ";" DELIMITED ";x=\"; encoding=text\"",
	  true },
	{ "escaped quote in another", ALL ";x=\"\\\"; y\"", true },
	{ "same parameter twice", ALL ";" DELIMITED ";" PROTO, true },
	{ "same twice, one quoted", ALL ";encoding=\"delimited\"", true },
	{ "trailing semicolon", ALL ";", true },
	{ "trailing semicolon and space", ALL "; ", true },
	{ "empty parameter", TYPE ";;" PROTO "; ;" DELIMITED, true },
	{ "other value of another twice", ALL ";q=1;q=2", true },
	{ "nothing", "", false },
	{ "type only", TYPE, false },
	{ "no encoding", TYPE ";" PROTO, false },
	{ "no proto", TYPE ";" DELIMITED, false },
	{ "upper-case value", TYPE ";" PROTO ";encoding=DELIMITED", false },
	{ "other proto", TYPE ";proto=io.prometheus.client.Metric;" DELIMITED, false },
	{ "longer proto", TYPE ";" PROTO "s;" DELIMITED, false },
	{ "encoding text", TYPE ";" PROTO ";encoding=text", false },
	{ "parameter without value", ALL "; foo", false },
	{ "parameter with empty value", ALL "; foo=", false },
	{ "parameter without name", ALL "; =foo", false },
	{ "same parameter, other value behind", ALL ";encoding=text", false },
	{ "same parameter, other value before", TYPE ";encoding=text;" PROTO ";" DELIMITED, false },
	{ "same parameter, other proto", ALL ";proto=x", false },
	{ "quote not closed", TYPE ";" PROTO ";encoding=\"delimited", false },
	{ "backslash at the end", TYPE ";" PROTO ";encoding=\"delimited\\", false },
	{ "backslash before the last quote", TYPE ";" PROTO ";encoding=\"delimited\\\"", false },
	{ "quote alone", TYPE ";" PROTO ";encoding=\"", false },
	{ "empty quoted value", TYPE ";" PROTO ";encoding=\"\"", false },
	{ "something behind the quotes", TYPE ";" PROTO ";encoding=\"delimited\"x", false },
	{ "space inside a value", TYPE ";" PROTO ";encoding=deli mited", false },
	{ "comma", TYPE "," PROTO "," DELIMITED, false },
	{ "bytes outside ASCII", ALL ";\xC3\xA9=x", false },
	{ "type with something behind", TYPE "x;" PROTO ";" DELIMITED, false },
	{ "curl's default", "application/x-www-form-urlencoded", false },
	{ "text", "text/plain; version=0.0.4", false },
	{ "openmetrics", "application/openmetrics-text; version=1.0.0", false },
	{ "semicolons only", ";;;", false },
};

START_TEST(content_type)
{
	size_t n = strlen(rows[_i].content_type);
	CLEANUP(freep) char *copy = mem_dup(rows[_i].content_type, n);

	ck_assert_msg(content_type_is_protobuf((struct str){ copy, n }) == rows[_i].protobuf, "%s",
		      rows[_i].name);
}
END_TEST

START_TEST(no_content_type)
{
	ck_assert(!content_type_is_protobuf(STR_NULL));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("negotiate");

	tcase_add_loop_test(tc, content_type, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, no_content_type);
	return run_cases("negotiate", tc);
}
