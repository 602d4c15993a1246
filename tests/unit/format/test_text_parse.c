#include <check.h>
#include <stdio.h>

#include "format/text/parse.h"
#include "lib/run.h"
#include "metrics/names.h"
#include "unit/format/text_result.h"

static const struct {
	const char *name;
	struct str body;
	bool utf8;
	uint32_t line;       /* of the error; 0: accepted */
	struct str expected; /* rendered, or the error without prefix */
} cases[] = {
#define OK(name, body, text)                                \
	{                                                   \
		name, { body, sizeof(body) - 1 }, false, 0, \
		{                                           \
			text, sizeof(text) - 1              \
		}                                           \
	}
#define BAD(name, body, line, msg)                             \
	{                                                      \
		name, { body, sizeof(body) - 1 }, false, line, \
		{                                              \
			msg, sizeof(msg) - 1                   \
		}                                              \
	}
#define OK8(name, body, text)                              \
	{                                                  \
		name, { body, sizeof(body) - 1 }, true, 0, \
		{                                          \
			text, sizeof(text) - 1             \
		}                                          \
	}
#define BAD8(name, body, line, msg)                           \
	{                                                     \
		name, { body, sizeof(body) - 1 }, true, line, \
		{                                             \
			msg, sizeof(msg) - 1                  \
		}                                             \
	}
	/* clang-format off */
	OK("1", "a 1\n", "a 1\n"),
	BAD("2", "a 1", 1, "unexpected end of input stream"),
	OK("3 tab", "a\t1\n", "a 1\n"),
	OK("3 blanks first", "  a 1\n", "a 1\n"),
	OK("3 tab first", "\ta 1\n", "a 1\n"),
	OK("3 two blanks", "a  1\n", "a 1\n"),
	BAD("4", "a 1 \n", 1, "expected integer as timestamp, got \"\""),
	BAD("5", "a 1\r\n", 1, "expected float as value, got \"1\\r\""),
	BAD("6", "\r\n", 1, "invalid metric name"),
	OK("7 empty", "", ""),
	OK("7 LF", "\n", ""),
	OK("7 hash", "#\n", ""),
	OK("7 comment", "# foo\n", ""),
	OK("7 no blank", "#foo bar\n", ""),
	OK("7 EOF", "# EOF\n", ""),
	OK("8", "\n\n  \na 1\n\n", "a 1\n"),
	BAD("9 comment", "# foo", 1, "unexpected end of input stream"),
	BAD("9 hash", "#", 1, "unexpected end of input stream"),
	BAD("10", "a 1\n\n\nb", 4, "unexpected end of input stream"),
	BAD("11", "a 1\n# comment at end", 2, "unexpected end of input stream"),
	OK("12 HELP", "# HELP\n", ""),
	OK("12 TYPE", "# TYPE\n", ""),
	OK("12 HELP blank", "# HELP \n", ""),
	OK("12 HELP name", "# HELP a\n", ""),
	OK("12 HELP name blank", "# HELP a \n", ""),
	OK("12 with sample", "# HELP a \n# TYPE a \na 1\n", "a 1\n"),
	BAD("13", "# HELP a x\n# HELP a y\na 1\n", 2, "second HELP line for metric name \"a\""),
	OK("14", "# HELP a\n# HELP a y\na 1\n", "# HELP a y\na 1\n"),
	OK("15", "# HELP a  x  y \na 1\n", "# HELP a x  y \na 1\n"),
	OK("16 no blank", "#HELP a x\na 1\n", "# HELP a x\na 1\n"),
	OK("16 tabs", "# HELP\ta\tx\na 1\n", "# HELP a x\na 1\n"),
	OK("17", "# HELP a foo\\nbar\\\\baz\na 1\n", "# HELP a foo\\nbar\\\\baz\na 1\n"),
	OK("18", "# HELP a foo\\\"bar\na 1\n", "# HELP a foo\"bar\na 1\n"),
	BAD("19", "# HELP a foo\\xbar\na 1\n", 1, "invalid escape sequence '\\x'"),
	BAD("19 at end of line", "# HELP a foo\\\na 1\n", 1, "invalid escape sequence '\\\\n'"),
	BAD("19 at end of body", "# HELP a foo\\", 1, "unexpected end of input stream"),
	BAD("19 and no LF", "# HELP a foo\\x", 1, "invalid escape sequence '\\x'"),
	OK("20", "# HELP a foo\r\na 1\n", "# HELP a foo\r\na 1\n"),
	OK("21", "a 1\n# HELP a foo\n", "# HELP a foo\na 1\n"),
	OK("22 blanks", "#   TYPE   a   gauge\na 1\n", "# TYPE a gauge\na 1\n"),
	OK("22 no blank", "#TYPE a gauge\na 1\n", "# TYPE a gauge\na 1\n"),
	OK("23", "# TYPE a GaUgE\na 1\n", "# TYPE a gauge\na 1\n"),
	OK("24", "# TYPE a ga\\uge\na 1\n", "# TYPE a gauge\na 1\n"),
	BAD("25", "# TYPE a gauge \na 1\n", 1, "unknown metric type \"gauge \""),
	BAD("26", "# TYPE a gauge\r\na 1\n", 1, "unknown metric type \"gauge\\r\""),
	BAD("27 unknown", "# TYPE a unknown\n", 1, "unknown metric type \"unknown\""),
	BAD("27 info", "# TYPE a info\n", 1, "unknown metric type \"info\""),
	BAD("27 stateset", "# TYPE a stateset\n", 1, "unknown metric type \"stateset\""),
	BAD("27 foo", "# TYPE a foo\n", 1, "unknown metric type \"foo\""),
	OK("28", "# TYPE a\na 1\n", "a 1\n"),
	BAD("29", "# TYPE a gauge\n# TYPE a gauge\na 1\n", 2,
	    "second TYPE line for metric name \"a\", or TYPE reported after samples"),
	BAD("30", "a 1\n# TYPE a gauge\n", 2,
	    "second TYPE line for metric name \"a\", or TYPE reported after samples"),
	BAD("31 dash", "# TYPE a-b gauge\n", 1, "invalid metric name in comment"),
	BAD("31 digit", "# TYPE 1a gauge\n", 1, "invalid metric name in comment"),
	BAD("31 braces", "# TYPE a{} gauge\n", 1, "invalid metric name in comment"),
	OK("32 lower case", "# help a foo\n# type a gauge\na 1\n", "a 1\n"),
	OK("32 two hashes", "# # TYPE a gauge\na 1\n", "a 1\n"),
	BAD("33", "a\n", 1, "expected float as value, got \"\""),
	BAD("33 blank", "a \n", 1, "expected float as value, got \"\""),
	BAD("34", "help a\n", 1, "expected float as value, got \"a\""),
	OK("35", "a 1 2\n", "a 1 1\n"),
	OK("35 minus", "a 1 -5\n", "a 1 1\n"),
	OK("35 plus", "a 1 +5\n", "a 1 1\n"),
	OK("35 tab", "a 1\t2\n", "a 1 1\n"),
	BAD("36", "a 1 2 \n", 1, "spurious string after timestamp: \" \""),
	BAD("37", "a 1 2 3\n", 1, "spurious string after timestamp: \" 3\""),
	BAD("38 fraction", "a 1 2.0\n", 1, "expected integer as timestamp, got \"2.0\""),
	BAD("38 letter", "a 1 x\n", 1, "expected integer as timestamp, got \"x\""),
	BAD("38 range", "a 1 9223372036854775808\n", 1,
	    "expected integer as timestamp, got \"9223372036854775808\""),
	BAD("39 comment", "a 1 # comment\n", 1, "expected integer as timestamp, got \"#\""),
	BAD("39 exemplar", "a 1 # {t=\"x\"} 1\n", 1, "expected integer as timestamp, got \"#\""),
	OK("40", "a{} 1\n", "a 1\n"),
	OK("40 no blank", "a{}1\n", "a 1\n"),
	OK("40 blank before", "a {} 1\n", "a 1\n"),
	OK("40 blank within", "a{ } 1\n", "a 1\n"),
	OK("41", "a{b=\"c\"} 1\n", "a{b=\"c\"} 1\n"),
	OK("41 blank before", "a {b=\"c\"}1\n", "a{b=\"c\"} 1\n"),
	OK("41 comma", "a{b=\"c\",} 1\n", "a{b=\"c\"} 1\n"),
	OK("41 blanks", "a{ b = \"c\" , } 1\n", "a{b=\"c\"} 1\n"),
	BAD("42", "a{,} 1\n", 1, "invalid label name for metric \"a\""),
	BAD("42 first", "a{,b=\"c\"} 1\n", 1, "invalid label name for metric \"a\""),
	BAD("42 last", "a{b=\"c\",,} 1\n", 1, "invalid label name for metric \"a\""),
	BAD("43", "a{b=\"c\" d=\"e\"} 1\n", 1, "unexpected end of label value \"c\""),
	BAD("43 no blank", "a{b=\"c\"d=\"e\"} 1\n", 1, "unexpected end of label value \"c\""),
	BAD("44", "a{b='c'} 1\n", 1, "expected '\"' at start of label value, found '\\''"),
	BAD("45", "a{b=c} 1\n", 1, "expected '\"' at start of label value, found 'c'"),
	BAD("45 none", "a{b=} 1\n", 1, "expected '\"' at start of label value, found '}'"),
	BAD("45 LF", "a{b=\n} 1\n", 1, "expected '\"' at start of label value, found '\\n'"),
	BAD("45 0xC3", "a{b=\xc3\xa9} 1\n", 1, "expected '\"' at start of label value, found '\u00c3'"),
	BAD("45 0x85", "a{b=\x85} 1\n", 1, "expected '\"' at start of label value, found '\\u0085'"),
	BAD("45 0x01", "a{b=\x01} 1\n", 1, "expected '\"' at start of label value, found '\\x01'"),
	BAD("46", "a{b} 1\n", 1, "expected '=' after label name, found '}'"),
	BAD("46 quoted", "a{\"b\"} 1\n", 1, "expected '=' after label name, found '}'"),
	BAD("46 quote", "a{\"b\" \"c\"} 1\n", 1, "expected '=' after label name, found '\"'"),
	OK("47", "a{b=\"\"} 1\n", "a{b=\"\"} 1\n"),
	BAD("48", "a{b=\"c} 1\n", 1, "label value \"c} 1\" contains unescaped new-line"),
	BAD("48 escape", "a{b=\"c\\n\n", 1, "label value \"c\\n\" contains unescaped new-line"),
	BAD("48 empty", "a{b=\"\n", 1, "label value \"\" contains unescaped new-line"),
	BAD("49", "a{\nb=\"c\"} 1\n", 1, "invalid label name for metric \"a\""),
	OK("50", "a{b=\"c\\nd\"} 1\n", "a{b=\"c\\nd\"} 1\n"),
	OK("50 others", "a{b=\"c\\\\d\\\"e\"} 1\n", "a{b=\"c\\\\d\\\"e\"} 1\n"),
	BAD("51", "a{b=\"c\\td\"} 1\n", 1, "invalid escape sequence '\\t'"),
	BAD("51 quote", "a{b=\"c\\'d\"} 1\n", 1, "invalid escape sequence '\\''"),
	BAD("51 end", "a{b=\"c\\", 1, "unexpected end of input stream"),
	OK("52 brace", "a{b=\"}\"} 1\n", "a{b=\"}\"} 1\n"),
	OK("52 hash", "a{b=\"#\"} 1\n", "a{b=\"#\"} 1\n"),
	OK("52 controls", "a{b=\"\t\0\x01\r\"} 1\n", "a{b=\"\t\0\x01\r\"} 1\n"),
	OK("52 UTF-8", "a{b=\"\u00e9\u65e5\"} 1\n", "a{b=\"\u00e9\u65e5\"} 1\n"),
	BAD("53", "a{b=\"\xff\"} 1\n", 1, "invalid label value \"\\xff\""),
	BAD("53 no more", "a{b=\"\xff\"", 1, "invalid label value \"\\xff\""),
	BAD("53 surrogate", "a{b=\"\xed\xa0\x80\"} 1\n", 1,
	    "invalid label value \"\\xed\\xa0\\x80\""),
	BAD("54", "a{1b=\"c\"} 1\n", 1, "invalid label name for metric \"a\""),
	BAD("55 dash", "a{b-c=\"d\"} 1\n", 1, "expected '=' after label name, found '-'"),
	BAD("55 colon", "a{b:c=\"d\"} 1\n", 1, "expected '=' after label name, found ':'"),
	BAD("56", "a{__name__=\"d\"} 1\n", 1, "label name \"__name__\" is reserved"),
	OK("57", "a{__x=\"d\"} 1\n", "a{__x=\"d\"} 1\n"),
	BAD("58", "a{b=\"1\",b=\"2\"} 1\n", 1, "duplicate label names for metric \"a\""),
	BAD("58 equal", "a{b=\"1\",b=\"1\"} 1\n", 1, "duplicate label names for metric \"a\""),
	BAD("58 apart", "a{b=\"1\",c=\"1\",b=\"2\"} 1\n", 1, "duplicate label names for metric \"a\""),
	BAD("58 quoted", "a{b=\"1\",\"b\"=\"2\"} 1\n", 1, "duplicate label names for metric \"a\""),
	BAD("58 before value", "a{b=\"1\",b=2} 1\n", 1, "duplicate label names for metric \"a\""),
	OK("59", ":a 1\n", ":a 1\n"),
	OK("59 underscore", "_ 1\n", "_ 1\n"),
	OK("59 colon", ": 1\n", ": 1\n"),
	OK("59 mid", "a:b 1\n", "a:b 1\n"),
	BAD("60 digit", "1a 1\n", 1, "invalid metric name"),
	BAD("60 letter", "\u00e9 1\n", 1, "invalid metric name"),
	BAD("60 0xFF", "\xff", 1, "invalid metric name"),
	BAD("60 BOM", "\xef\xbb\xbf" "a 1\n", 1, "invalid metric name"),
	BAD("61 dash", "a-b 1\n", 1, "expected float as value, got \"-b\""),
	BAD("61 dot", "a.b 1\n", 1, "expected float as value, got \".b\""),
	BAD("61 brace", "a} 1\n", 1, "expected float as value, got \"}\""),
	BAD("61 letter", "a\u00e9 1\n", 1, "expected float as value, got \"\u00e9\""),
	OK("62 braces", "{\"a\"} 1\n", "a 1\n"),
	OK("62 bare", "{a} 1\n", "a 1\n"),
	OK("62 quotes", "\"a\" 1\n", "a 1\n"),
	OK("62 no blank", "{\"a\"}1\n", "a 1\n"),
	OK("62 comma", "{\"a\",} 1\n", "a 1\n"),
	OK("62 blanks", " { \"a\" , } 1\n", "a 1\n"),
	OK("63 quoted", "{\"a\",b=\"c\"} 1\n", "a{b=\"c\"} 1\n"),
	OK("63 bare", "{a,b=\"c\"} 1\n", "a{b=\"c\"} 1\n"),
	OK("63 last", "{b=\"c\",\"a\"} 1\n", "a{b=\"c\"} 1\n"),
	OK("63 before", "\"a\"{b=\"c\"} 1\n", "a{b=\"c\"} 1\n"),
	OK("63 label", "{\"a\",\"b\"=\"c\"} 1\n", "a{b=\"c\"} 1\n"),
	OK("63 mid", "{b=\"c\",a,d=\"e\"} 1\n", "a{b=\"c\",d=\"e\"} 1\n"),
	BAD("64", "{\"a\",\"b\"} 1\n", 1, "multiple metric names for metric \"a\""),
	BAD("65", "{\"a\" b=\"c\"} 1\n", 1, "unexpected end of metric name 'b'"),
	BAD("65 colon", "{a:b,b=\"c\"} 1\n", 1, "unexpected end of metric name ':'"),
	BAD("65 LF", "{a\n", 1, "unexpected end of metric name '\\n'"),
	BAD("66", "{b=\"c\"} 1\n", 1, "invalid metric name"),
	BAD("67", "{\"\"} 1\n", 1, "invalid label name for metric \"\""),
	BAD("67 LF", "{\n", 1, "invalid label name for metric \"\""),
	BAD("68 braces", "{\"a.b\"} 1\n", 1, "invalid metric name \"a.b\""),
	BAD("68 quotes", "\"a.b\" 1\n", 1, "invalid metric name \"a.b\""),
	BAD("68 TYPE", "# TYPE \"a.b\" gauge\n", 1, "invalid metric name \"a.b\""),
	BAD("68 empty", "# TYPE \"\" gauge\n", 1, "invalid metric name \"\""),
	BAD("68 empty sample", "\"\" 1\n", 1, "invalid metric name"),
	BAD("69", "a{\"b.c\"=\"d\"} 1\n", 1, "invalid label name \"b.c\""),
	BAD("70", "{\"a\n\"} 1\n", 1, "label name \"a\" contains unescaped new-line"),
	BAD("71", "\"x 1\n", 1, "metric name \"x 1\" contains unescaped new-line"),
	BAD("71 mid", "y\"x 1\n", 1, "metric name \"yx 1\" contains unescaped new-line"),
	BAD("71 empty", "\"\n", 1, "metric name \"\" contains unescaped new-line"),
	BAD("72", "{\"a\\x\"} 1\n", 1, "invalid escape sequence '\\x'"),
	OK("73", "# TYPE \"a\" gauge\n{\"a\"} 1\n", "# TYPE a gauge\na 1\n"),
	BAD("74 first", "{} 1\n", 1, "invalid metric name"),
	BAD("74 after HELP", "# HELP a x\n{} 1\n", 2, "invalid metric name"),
	BAD("74 after TYPE", "# TYPE a gauge\n{x=\"y\"} 1\n", 2, "invalid metric name"),
	BAD("74 comma", "{x=\"y\",} 1\n", 1, "invalid metric name"),
	BAD("75", "a 1\n{} 2\n", 2, "invalid metric name"),
	BAD("75 label", "a 1\n{x=\"y\"} 2\n", 2, "invalid metric name"),
	BAD("75 empty name", "a 1\n{\"\"} 2\n", 2, "invalid label name for metric \"\""),
	OK("76", "a 1.\nb .5\nc -.5\nd +1\ne 1E3\nf 010\n", "a 1\nb 0.5\nc -0.5\nd 1\ne 1000\nf 10\n"),
	OK("77 inf", "a Inf\na +inf\na -INF\na infinity\na +INFINITY\n",
	   "a inf\na inf\na -inf\na inf\na inf\n"),
	OK("77 nan", "a nan\na NaN\na NAN\n", "a NaN\na NaN\na NaN\n"),
	BAD("78 -NaN", "a -NaN\n", 1, "expected float as value, got \"-NaN\""),
	BAD("78 +NaN", "a +NaN\n", 1, "expected float as value, got \"+NaN\""),
	BAD("78 infin", "a infin\n", 1, "expected float as value, got \"infin\""),
	BAD("78 nan(1)", "a nan(1)\n", 1, "expected float as value, got \"nan(1)\""),
	BAD("78 null", "a null\n", 1, "expected float as value, got \"null\""),
	BAD("78 true", "a true\n", 1, "expected float as value, got \"true\""),
	BAD("79 0x10", "a 0x10\n", 1, "expected float as value, got \"0x10\""),
	BAD("79 0x1p-2", "a 0x1p-2\n", 1, "expected float as value, got \"0x1p-2\""),
	BAD("79 0X1.8", "a 0X1.8\n", 1, "expected float as value, got \"0X1.8\""),
	BAD("79 1p3", "a 1p3\n", 1, "expected float as value, got \"1p3\""),
	BAD("79 1_000", "a 1_000\n", 1, "expected float as value, got \"1_000\""),
	BAD("79 0b1", "a 0b1\n", 1, "expected float as value, got \"0b1\""),
	BAD("79 0o7", "a 0o7\n", 1, "expected float as value, got \"0o7\""),
	BAD("79 1f", "a 1f\n", 1, "expected float as value, got \"1f\""),
	BAD("79 1,000", "a 1,000\n", 1, "expected float as value, got \"1,000\""),
	BAD("79 --1", "a --1\n", 1, "expected float as value, got \"--1\""),
	BAD("79 1e", "a 1e\n", 1, "expected float as value, got \"1e\""),
	BAD("79 .", "a .\n", 1, "expected float as value, got \".\""),
	BAD("80 1e400", "a 1e400\n", 1, "expected float as value, got \"1e400\""),
	BAD("80 -1e400", "a -1e400\n", 1, "expected float as value, got \"-1e400\""),
	BAD("80 max", "a 1.7976931348623159e308\n", 1,
	    "expected float as value, got \"1.7976931348623159e308\""),
	OK("81", "a 1e-400\nb 2e-324\n", "a 0\nb 0\n"),
	OK("82", "# TYPE a gauge\na 1\na 2\n", "# TYPE a gauge\na 1\na 2\n"),
	OK("83", "# TYPE c counter\nc -5\n", "# TYPE c counter\nc -5\n"),
	OK("84 quantile", "# TYPE g gauge\ng{quantile=\"0.5\"} 1\n", "# TYPE g gauge\ng{quantile=\"0.5\"} 1\n"),
	OK("84 le", "# TYPE g gauge\ng{le=\"1\"} 1\n", "# TYPE g gauge\ng{le=\"1\"} 1\n"),
	BAD("84 twice", "# TYPE g gauge\ng{le=\"1\",le=\"2\"} 1\n", 2, "duplicate label names for metric \"g\""),
	OK("84 not a number", "a{le=\"x\"} 1\n", "a{le=\"x\"} 1\n"),
	OK("85", SUMM "s{quantile=\"0.5\"} 1\ns_sum 3\ns_count 4\n",
	   SUMM "s{quantile=\"0.5\"} 1\ns_sum 3\ns_count 4\n"),
	OK("86", SUMM "s 1\n", SUMM "s_sum 0\ns_count 0\n"),
	OK("86 NaN", SUMM "s{quantile=\"NaN\"} 1\n", SUMM "s_sum 0\ns_count 0\n"),
	OK("86 quantile of sum and count", SUMM "s_sum{quantile=\"0.5\"} 1\ns_count{quantile=\"1\"} 2\n",
	   SUMM "s_sum 1\ns_count 2\n"),
	BAD("87", SUMM "s{quantile=\"x\"} 1\n", 2, "expected float as value for 'quantile' label, got \"x\""),
	OK("88", SUMM "s{quantile=\"0.9\"} 1\ns{quantile=\"0.5\"} 2\ns{quantile=\"0.5\"} 7\n",
	   SUMM "s{quantile=\"0.9\"} 1\ns{quantile=\"0.5\"} 2\ns{quantile=\"0.5\"} 7\ns_sum 0\ns_count 0\n"),
	OK("88 quantile twice", SUMM "s{quantile=\"0.9\",quantile=\"0.5\"} 1\n",
	   SUMM "s{quantile=\"0.5\"} 1\ns_sum 0\ns_count 0\n"),
	OK("89 -1", SUMM "s_count -1\n", SUMM "s_sum 0\ns_count -1\n"),
	OK("89 1.7", SUMM "s_count 1.7\n", SUMM "s_sum 0\ns_count 1\n"),
	OK("89 -1.7", SUMM "s_count -1.7\n", SUMM "s_sum 0\ns_count -1\n"),
	OK("89 -0.5", SUMM "s_count -0.5\n", SUMM "s_sum 0\ns_count 0\n"),
	OK("89 -2^62", SUMM "s_count -5e18\n", SUMM "s_sum 0\ns_count 13446744073709551616\n"),
	OK("89 NaN", SUMM "s_count NaN\n", SUMM "s_sum 0\ns_count 9223372036854775808\n"),
	OK("89 Inf", SUMM "s_count Inf\n", SUMM "s_sum 0\ns_count 9223372036854775808\n"),
	OK("89 -Inf", SUMM "s_count -Inf\n", SUMM "s_sum 0\ns_count 9223372036854775808\n"),
	OK("89 1e30", SUMM "s_count 1e30\n", SUMM "s_sum 0\ns_count 9223372036854775808\n"),
	OK("89 large", SUMM "s_count 18446744073709549568\n", SUMM "s_sum 0\ns_count 18446744073709549568\n"),
	OK("90", SUMM "s_bucket{le=\"1\"} 1\n", "s_bucket{le=\"1\"} 1\n"),
	OK("91", HIST "h_bucket{le=\"1\"} 1\nh_sum 3\nh_count 2\n", HIST "h{le=\"1\"} 1\nh_sum 3\nh_count 2\n"),
	OK("92", HIST "h_bucket{le=\"1\"} 1\n", HIST "h{le=\"1\"} 1\nh_sum 0\nh_count 0\n"),
	OK("93", HIST "h_bucket{le=\"2\"} 5\nh_bucket{le=\"1\"} 1\nh_count 2\n",
	   HIST "h{le=\"2\"} 5\nh{le=\"1\"} 1\nh_sum 0\nh_count 2\n"),
	OK("94", HIST "h_bucket{le=\"1\"} 1\nh_bucket{le=\"1.0\"} 3\n",
	   HIST "h{le=\"1\"} 1\nh{le=\"1\"} 3\nh_sum 0\nh_count 0\n"),
	OK("95", HIST "h_bucket{le=\"NaN\"} 1\nh_count 7\n", HIST "h_sum 0\nh_count 7\n"),
	BAD("96 foo", HIST "h_bucket{le=\"foo\"} 1\n", 2, "expected float as value for 'le' label, got \"foo\""),
	BAD("96 empty", HIST "h_bucket{le=\"\"} 1\n", 2, "expected float as value for 'le' label, got \"\""),
	BAD("96 hex", HIST "h_bucket{le=\"0x1p1\"} 1\n", 2, "expected float as value for 'le' label, got \"0x1p1\""),
	OK("97 bucket", HIST "h_bucket 1\n", HIST "h_sum 0\nh_count 0\n"),
	OK("97 name", HIST "h 1\n", HIST "h_sum 0\nh_count 0\n"),
	OK("97 no memory of le", HIST "h_bucket{le=\"3\"} 1\nh 1\n", HIST "h{le=\"3\"} 1\nh_sum 0\nh_count 0\n"),
	OK("98", HIST "h{le=\"5\"} 1\n", HIST "h{le=\"5\"} 1\nh_sum 0\nh_count 0\n"),
	OK("99 1.5", HIST "h_bucket{le=\"5\"} 1.5\nh_count 3\n",
	   HIST "# float\nh{le=\"5\"} 1.5\nh_sum 0\nh_count 3\n"),
	OK("99 other buckets", HIST "h{le=\"1\"} 4\nh{le=\"5\"} 0\nh_count 4.5\n",
	   HIST "# float\nh{le=\"1\"} 4\nh{le=\"5\"} 0\nh_sum 0\nh_count 4.5\n"),
	OK("99 NaN", HIST "h_bucket{le=\"5\"} 1\nh_count NaN\n", HIST "# float\nh{le=\"5\"} 1\nh_sum 0\nh_count NaN\n"),
	OK("99 +Inf", HIST "h_count +Inf\n", HIST "# float\nh_sum 0\nh_count inf\n"),
	OK("99 1e30", HIST "h_count 1e30\n", HIST "# float\nh_sum 0\nh_count 1e+30\n"),
	OK("99 2^64", HIST "h_count 18446744073709551616\n", HIST "# float\nh_sum 0\nh_count 1.8446744073709552e+19\n"),
	OK("99 below 2^64", HIST "h_count 18446744073709549568\n", HIST "h_sum 0\nh_count 18446744073709549568\n"),
	OK("99 -0", HIST "h_count -0\n", HIST "h_sum 0\nh_count 0\n"),
	OK("99 only one of two", HIST "h_count{a=\"1\"} 1.5\nh_count{a=\"2\"} 2\n",
	   HIST "# float\nh_sum{a=\"1\"} 0\nh_count{a=\"1\"} 1.5\nh_sum{a=\"2\"} 0\nh_count{a=\"2\"} 2\n"),
	BAD("100 bucket", HIST "h_bucket{le=\"5\"} -1\n", 2, "negative bucket population for histogram \"h\""),
	BAD("100 count", HIST "h_count -1\n", 2, "negative count for histogram \"h\""),
	BAD("100 -Inf", HIST "h_count -Inf\n", 2, "negative count for histogram \"h\""),
	BAD("100 -0.5", HIST "h_count -0.5\n", 2, "negative count for histogram \"h\""),
	OK("100 ignored", HIST "h_bucket -1\n", HIST "h_sum 0\nh_count 0\n"),
	OK("101", HIST "h_bucket{le=\"1\",le=\"2\"} 1\n", HIST "h{le=\"2\"} 1\nh_sum 0\nh_count 0\n"),
	OK("102", "# TYPE h gaugehistogram\nh_count 1\n", "# TYPE h gaugehistogram\nh_sum 0\nh_count 1\n"),
	OK("102 underscore", "# TYPE h Gauge_Histogram\nh_count 1\n", "# TYPE h gaugehistogram\nh_sum 0\nh_count 1\n"),
	OK("102 bucket", "# TYPE h gaugehistogram\nh_bucket{le=\"1\"} 1.5\n",
	   "# TYPE h gaugehistogram\n# float\nh{le=\"1\"} 1.5\nh_sum 0\nh_count 0\n"),
	OK("103", "h_bucket{le=\"1\"} 1\nh_count 2\n", "h_bucket{le=\"1\"} 1\nh_count 2\n"),
	OK("104", "h_bucket{le=\"1\"} 1\n# TYPE h histogram\nh_sum 3\n",
	   "h_bucket{le=\"1\"} 1\n# TYPE h histogram\nh_sum 3\nh_count 0\n"),
	BAD("105", HIST "# TYPE h_count gauge\nh_count 5\n", 2,
	    "second TYPE line for metric name \"h\", or TYPE reported after samples"),
	OK("106", HIST "# HELP h_count foo\nh_count 5\n", "# HELP h foo\n# TYPE h histogram\nh_sum 0\nh_count 5\n"),
	OK("107", HIST "h_created 5\nh_count 1\n", HIST "h_sum 0\nh_count 1\nh_created 5\n"),
	OK("107 h_bucket_count", HIST "h_bucket{le=\"1\"} 5\nh_bucket_count 1\n",
	   HIST "h{le=\"1\"} 5\nh_sum 0\nh_count 0\nh_bucket_count 1\n"),
	OK("108", "# TYPE foo counter\nfoo_total 1\n# EOF\n", "foo_total 1\n"),
	OK("109", "# HELP a \xff\na 1\n", "# HELP a \xff\na 1\n"),

	/* With --push.enable-utf8-names. */
	OK8("dots", "# HELP \"my.metric\" h\n# TYPE \"my.metric\" counter\n{\"my.metric\",\"a.b\"=\"c\"} 5\n",
	    "# HELP \"my.metric\" h\n# TYPE \"my.metric\" counter\n{\"my.metric\",\"a.b\"=\"c\"} 5\n"),
	OK8("before braces", "\"a.b\"{c=\"d\"} 1\n", "{\"a.b\",c=\"d\"} 1\n"),
	OK8("without braces", "\"a.b\" 1\n", "{\"a.b\"} 1\n"),
	OK8("histogram", "# TYPE \"h.x\" histogram\n{\"h.x_bucket\",le=\"1\"} 5\n{\"h.x_count\"} 6\n",
	    "# TYPE \"h.x\" histogram\n{\"h.x\",le=\"1\"} 5\n{\"h.x_sum\"} 0\n{\"h.x_count\"} 6\n"),
	OK8("digit first", "{\"1a\"} 1\n", "{\"1a\"} 1\n"),
	OK8("tab", "{\"a\tb\"} 1\n", "{\"a\tb\"} 1\n"),
	OK8("labels", "a{\"1x\"=\"1\",\"a b\"=\"2\"} 1\n", "a{\"1x\"=\"1\",\"a b\"=\"2\"} 1\n"),
	OK8("escapes", "{\"a\\\"b\\\\c\\nd\"} 1\n", "{\"a\\\"b\\\\c\\nd\"} 1\n"),
	BAD8("bare dot after quotes", "{\"a.b\"} 1\na.b 2\n", 2,
	     "expected float as value, got \".b\""),
	BAD8("bare dot", "a.b 1\n", 1, "expected float as value, got \".b\""),
	BAD8("bare dot within", "{a.b} 1\n", 1, "unexpected end of metric name '.'"),
	BAD8("empty name", "{\"\"} 1\n", 1, "invalid label name for metric \"\""),
	BAD8("not UTF-8", "{\"a\xff\"} 1\n", 1, "invalid metric name \"a\\xff\""),
	BAD8("label not UTF-8", "a{\"b\xff\"=\"c\"} 1\n", 1, "invalid label name \"b\\xff\""),
	OK8("__x", "a{\"__x\"=\"1\"} 1\n", "a{__x=\"1\"} 1\n"),
	BAD8("__name__", "a{\"__name__\"=\"1\"} 1\n", 1, "label name \"__name__\" is reserved"),
	BAD8("after quotes", "a{\"x\"y=\"z\"} 1\n", 1, "expected '=' after label name, found 'y'"),
	OK8("quotes in mid-name", "a{x\"y\"=\"z\"} 1\n", "a{xy=\"z\"} 1\n"),
	OK8("quotes in mid-metric", "x\"y z\" 1\n", "{\"xy z\"} 1\n"),
	BAD8("after a metric's quotes", "x\"y\"z 1\n", 1, "expected float as value, got \"z\""),

	/* Beyond the tables. */
	OK("blanks at the end", "a 1\n \t", "a 1\n"),
	OK("labels in another order",
	   SUMM "s{a=\"1\",b=\"2\",quantile=\"0.5\"} 1\ns{b=\"1\",a=\"2\"} 1\ns_sum{b=\"2\",a=\"1\"} 7\n",
	   SUMM "s{a=\"1\",b=\"2\",quantile=\"0.5\"} 1\ns_sum{a=\"1\",b=\"2\"} 7\ns_count{a=\"1\",b=\"2\"} 0\n"
	   "s_sum{b=\"1\",a=\"2\"} 0\ns_count{b=\"1\",a=\"2\"} 0\n"),
	OK("repeated count and sum", HIST "h_sum 1\nh_sum 2\nh_count 3\nh_count 4\n", HIST "h_sum 2\nh_count 4\n"),
	OK("float count stays", HIST "h_count 1.5\nh_bucket{le=\"1\"} 1\nh_count 3\n",
	   HIST "# float\nh{le=\"1\"} 1\nh_sum 0\nh_count 1.5\n"),
	OK("same labels, two families", SUMM "# TYPE t summary\ns_sum{a=\"b\"} 1\nt_sum{a=\"b\"} 2\n",
	   SUMM "s_sum{a=\"b\"} 1\ns_count{a=\"b\"} 0\n# TYPE t summary\nt_sum{a=\"b\"} 2\nt_count{a=\"b\"} 0\n"),
	OK("labels before a histogram's name", HIST "{le=\"9\",a=\"b\",le=\"1\",h_bucket} 2\n",
	   HIST "h{a=\"b\",le=\"1\"} 2\nh_sum{a=\"b\"} 0\nh_count{a=\"b\"} 0\n"),
	BAD("labels before the name, repeated", "{a=\"b\",a=\"c\",x} 2\n", 1, "duplicate label names for metric \"x\""),
	BAD("le before a gauge's name, repeated", "{le=\"b\",le=\"c\",x} 2\n", 1, "duplicate label names for metric \"x\""),
	BAD("le before a histogram's name", HIST "{le=\"x\",h} 2\n", 2,
	    "expected float as value for 'le' label, got \"x\""),
	OK("suffix of a suffix", SUMM "s_sum 1\ns_sum_count 2\n", SUMM "s_sum 1\ns_count 0\ns_sum_count 2\n"),
	OK("suffix alone", "# TYPE _ summary\n_count 1\n_sum 2\n", "_count 1\n_sum 2\n"),
	OK("name first, TYPE later", "# HELP s_count x\n# TYPE s summary\ns_count 1\ns_sum 2\n",
	   "# HELP s_count x\ns_count 1\n# TYPE s summary\ns_sum 2\ns_count 0\n"),
	OK("families in turn", "a 1\nb 2\na 3\nb 4\n", "a 1\na 3\nb 2\nb 4\n"),
	OK("timestamp of a summary", SUMM "s_sum 1 5\ns_count 2\n", SUMM "s_sum 1\ns_count 2 1\n"),
	BAD("error in line 3", "a 1\n# x\nb{ 1\n", 3, "invalid label name for metric \"b\""),
	BAD("backslash after timestamp", "a 1 2\\3\n", 1, "expected integer as timestamp, got \"2\\\\3\""),
	BAD("backslash in the rest", "a 1 2 \\3\n", 1, "spurious string after timestamp: \" 3\""),
	OK("only a backslash is no rest", "# TYPE a \\gauge\\\na 1\n", "# TYPE a gauge\na 1\n"),
	/* clang-format on */
};

START_TEST(table_row)
{
	struct decode_limits lim = generous;
	struct str want = cases[_i].expected;
	char msg[ERR_MSG_SIZE];

	lim.utf8_names = cases[_i].utf8;

	struct result res = parse(cases[_i].body, &lim, 1 << 20);

	if (cases[_i].line) {
		snprintf(msg, sizeof(msg), "text format parsing error in line %u: %s",
			 cases[_i].line, want.p);
		ck_assert_msg(res.r == -1 && res.err.reason == ERR_INVALID, "%s: accepted",
			      cases[_i].name);
		ck_assert_uint_eq(res.err.line, cases[_i].line);
		ck_assert_str_eq(res.err.msg, msg);
	} else {
		ck_assert_msg(res.r == 0, "%s: %s", cases[_i].name, res.err.msg);
		ck_assert_msg(str_eq(strbuf_str(&res.text), want), "%s: got\n%.*s", cases[_i].name,
			      STR_ARG(strbuf_str(&res.text)));
	}
	strbuf_done(&res.text);
}
END_TEST

/* A body stops being a body just where a line is not complete. */
START_TEST(each_prefix)
{
	struct decode_limits lim = generous;

	lim.utf8_names = true;
	for (size_t n = 0; n <= strlen(bodies[_i]); n++) {
		struct result res = parse((struct str){ bodies[_i], n }, &lim, 1 << 20);
		size_t end = n;

		while (end > 0 && (bodies[_i][end - 1] == ' ' || bodies[_i][end - 1] == '\t'))
			end--;
		if (end == 0 || bodies[_i][end - 1] == '\n') {
			ck_assert_msg(res.r == 0, "at %zu: %s", n, res.err.msg);
		} else {
			ck_assert_msg(res.r == -1 && res.err.reason == ERR_INVALID, "at %zu", n);
			ck_assert_ptr_nonnull(
				strstr(res.err.msg, ": unexpected end of input stream"));
		}
		strbuf_done(&res.text);
	}
}
END_TEST

START_TEST(metric_fields)
{
	static const char body[] = "a 1\n" HIST "h_sum{x=\"y\"} 1\nh{x=\"y\",le=\"1\"} 1\nb 1 5\n";
	struct family *f;
	struct err err = { 0 };
	struct arena a;

	arena_init(&a, 1 << 20);
	ck_assert_int_eq(text_parse(STR(body), &generous, &a, &f, &err), 0);
	ck_assert_uint_eq(f->n_metrics, 1);
	ck_assert_uint_eq(f->metrics->line, 1);
	ck_assert_uint_eq(f->metrics->has, HAS_UNTYPED);
	ck_assert_int_eq(f->type, METRIC_UNTYPED);
	ck_assert(!f->has_help && !f->metrics->has_timestamp && f->last == f->metrics);
	f = f->next;
	ck_assert_int_eq(f->type, METRIC_HISTOGRAM);
	ck_assert_uint_eq(f->metrics->line, 3);
	ck_assert_uint_eq(f->metrics->n_labels, 1);
	ck_assert_uint_eq(f->metrics->has, HAS_HISTOGRAM);
	ck_assert_ptr_null(f->metrics->summary);
	f = f->next;
	ck_assert(f->metrics->has_timestamp && !f->next);
	ck_assert_uint_eq(f->metrics->line, 5);
	arena_done(&a);
}
END_TEST

START_TEST(classic_names)
{
	ck_assert(name_is_classic_metric(STR("a:b_1")) && name_is_classic_label(STR("_a1")));
	ck_assert(!name_is_classic_label(STR("a:b")) && !name_is_classic_label(STR("1a")));
	ck_assert(!name_is_classic_metric(STR("1a")) && !name_is_classic_metric(STR("a.b")));
	ck_assert(!name_is_classic_metric(STR("")) && !name_is_classic_label(STR("")));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("text_parse");

	tcase_add_loop_test(tc, table_row, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tc, each_prefix, 0, ARRAY_LEN(bodies));
	tcase_add_test(tc, metric_fields);
	tcase_add_test(tc, classic_names);
	return run_cases_in_one_process("text_parse", tc);
}
