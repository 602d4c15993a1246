#include "config/group_options.h"

#include "config/units.h"

void group_options_overlay(struct group_options *to, const struct group_options *from)
{
	if (from->has_ttl) {
		to->has_ttl = true;
		to->ttl_ns = from->ttl_ns;
	}
	if (from->has_keep_times) {
		to->has_keep_times = true;
		to->keep_times_ns = from->keep_times_ns;
	}
	if (from->has_expect_every) {
		to->has_expect_every = true;
		to->expect_every_ns = from->expect_every_ns;
	}
}

static int unknown(struct str name, struct err *err)
{
	char quoted[128];

	return err_set(err, ERR_INVALID, 0,
		       "improper label name %s: it is none of the options that a URL can hold; "
		       "there is __ttl__, as in __ttl__/15m",
		       str_quote(name, quoted, sizeof(quoted)));
}

static int wrong_value(const struct label *pair, const struct err *why, const char *right,
		       struct err *err)
{
	char quoted[128];

	return err_set(err, ERR_INVALID, 0,
		       "option %.*s has a wrong value %s: %s; write it like %.*s/%s",
		       STR_ARG(pair->name), str_quote(pair->value, quoted, sizeof(quoted)),
		       why->msg, STR_ARG(pair->name), right);
}

int group_options_of_path(const struct key_options *pairs, struct group_options *ret,
			  struct err *err)
{
	*ret = (struct group_options){ 0 };
	for (uint32_t i = 0; i < pairs->n; i++) {
		const struct label *pair = &pairs->pairs[i];
		struct err why;

		if (!str_eq(pair->name, STR("__ttl__")))
			return unknown(pair->name, err);
		if (period_parse(pair->value, &ret->ttl_ns, &why) < 0)
			return wrong_value(pair, &why, "15m", err);
		ret->has_ttl = true;
	}
	return 0;
}
