#include "config/group_options.h"

#include <math.h>

#include "base/num.h"
#include "base/seconds.h"
#include "base/utf8.h"
#include "config/units.h"

static const struct str usual[] = { { "instance", 8 }, { "pid", 3 }, { "worker", 6 } };
const struct source_labels source_labels_usual = { usual, ARRAY_LEN(usual) };

static const char *const modes[] = {
	[GROUP_PLAIN] = "group",
	[GROUP_SUM] = "sum",
	[GROUP_ADD] = "add",
};

const char *group_mode_name(enum group_mode mode)
{
	return modes[mode];
}

bool group_mode_by_name(struct str name, enum group_mode *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (str_eq(name, str_of(modes[i]))) {
			*ret = (enum group_mode)i;
			return true;
		}
	}
	return false;
}

#define OVERLAY(has, member)                       \
	do {                                       \
		if (from->has) {                   \
			to->has = true;            \
			to->member = from->member; \
		}                                  \
	} while (0)

void group_options_overlay(struct group_options *to, const struct group_options *from)
{
	OVERLAY(has_ttl, ttl_ns);
	OVERLAY(has_keep_times, keep_times_ns);
	OVERLAY(has_expect_every, expect_every_ns);
	OVERLAY(has_mode, mode);
	OVERLAY(has_source_labels, source_labels);
	OVERLAY(has_source_ttl, source_ttl_ns);
	OVERLAY(has_zero_first, zero_first_ns);
	OVERLAY(has_runtime_metrics, keep_runtime_metrics);
	OVERLAY(has_max_sources, max_sources);
	if (from->gauges)
		to->gauges = from->gauges;
}

/* ---- in a path ---- */

enum { SAID_MAX = 1024 };

struct said {
	struct group_options *options;
	struct push_says *says;
};

static int read_mode(struct str value, struct said *to, struct err *err)
{
	if (!group_mode_by_name(value, &to->options->mode))
		return err_set(err, ERR_INVALID, 0, "the modes are group, sum and add");
	to->options->has_mode = true;
	return 0;
}

static int read_ttl(struct str value, struct said *to, struct err *err)
{
	to->options->has_ttl = true;
	return period_parse(value, &to->options->ttl_ns, err);
}

static int read_text(struct str value, struct str *to, struct err *err)
{
	if (value.n == 0 || value.n > SAID_MAX || !utf8_valid(value))
		return err_set(err, ERR_INVALID, 0, "it has to be 1 to %d bytes of UTF-8",
			       SAID_MAX);
	*to = value;
	return 0;
}

static int read_source(struct str value, struct said *to, struct err *err)
{
	to->says->has_source = true;
	return read_text(value, &to->says->source, err);
}

static int read_push_id(struct str value, struct said *to, struct err *err)
{
	to->says->has_push_id = true;
	return read_text(value, &to->says->push_id, err);
}

/* Milliseconds instead of seconds are refused. */
static int read_start(struct str value, struct said *to, struct err *err)
{
	double v;

	if (!num_parse(value, &v) || !(v > 0 && seconds_are_time(v)))
		return err_set(
			err, ERR_INVALID, 0,
			"it has to be the Unix time in seconds at which the process started");
	to->says->has_start = true;
	to->says->start = v;
	return 0;
}

static int read_final(struct str value, struct said *to, struct err *err)
{
	if (!str_eq(value, STR("0")) && !str_eq(value, STR("1")))
		return err_set(err, ERR_INVALID, 0, "it has to be 1 or 0");
	to->says->final = value.p[0] == '1';
	return 0;
}

static const struct path_option {
	const char *name, *right;
	int (*read)(struct str value, struct said *to, struct err *err);
} path_options[] = {
	{ "__mode__", "sum", read_mode },
	{ "__source__", "4711", read_source },
	{ "__start__", "1732620000.25", read_start },
	{ "__ttl__", "15m", read_ttl },
	{ "__final__", "1", read_final },
	{ "__push_id__", "8a6e0804", read_push_id },
};

static int unknown(struct str name, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf known = { 0 };
	char quoted[128];

	for (size_t i = 0; i < ARRAY_LEN(path_options); i++)
		strbuf_addf(&known, "%s%s/%s", i ? ", " : "", path_options[i].name,
			    path_options[i].right);
	return err_set(err, ERR_INVALID, 0,
		       "improper label name %s: it is none of the options that a URL can hold; "
		       "write them like %s",
		       str_quote(name, quoted, sizeof(quoted)), strbuf_z(&known));
}

static int read_pair(const struct label *pair, struct said *to, struct err *err)
{
	const struct path_option *o = path_options;
	char quoted[128];
	struct err why;

	while (o < path_options + ARRAY_LEN(path_options) && !str_eq(pair->name, str_of(o->name)))
		o++;
	if (o == path_options + ARRAY_LEN(path_options))
		return unknown(pair->name, err);
	if (o->read(pair->value, to, &why) == 0)
		return 0;
	return err_set(err, ERR_INVALID, 0,
		       "option %s has a wrong value %s: %s; write it like %s/%s", o->name,
		       str_quote(pair->value, quoted, sizeof(quoted)), why.msg, o->name, o->right);
}

int group_options_of_path(const struct key_options *pairs, struct group_options *ret,
			  struct push_says *ret_says, struct err *err)
{
	struct said to = { ret, ret_says };

	*ret = (struct group_options){ 0 };
	*ret_says = (struct push_says){ 0 };
	for (uint32_t i = 0; i < pairs->n; i++)
		if (read_pair(&pairs->pairs[i], &to, err) < 0)
			return -1;
	return 0;
}
