/* Rules of --config.file, and what they say, as text. */
#ifndef TESTS_UNIT_CONFIG_RULES_TEXT_H
#define TESTS_UNIT_CONFIG_RULES_TEXT_H

#include "config/group_rules.h"
#include "config/units.h"

static inline void show_period(struct strbuf *out, const char *name, bool has, int64_t ns)
{
	if (!has)
		return;
	strbuf_addf(out, " %s=", name);
	duration_format(ns, out);
}

static inline void show_options(struct strbuf *out, const struct group_options *o)
{
	show_period(out, "ttl", o->has_ttl, o->ttl_ns);
	show_period(out, "keep_times", o->has_keep_times, o->keep_times_ns);
	show_period(out, "expect_every", o->has_expect_every, o->expect_every_ns);
	if (o->has_mode)
		strbuf_addf(out, " mode=%s", group_mode_name(o->mode));
	if (o->has_source_labels)
		strbuf_addz(out, " source_labels=");
	for (uint32_t i = 0; o->has_source_labels && i < o->source_labels.n; i++)
		strbuf_addf(out, "%s%.*s", i ? "," : "", STR_ARG(o->source_labels.names[i]));
	show_period(out, "source_ttl", o->has_source_ttl, o->source_ttl_ns);
	for (size_t i = 0; i < gauge_policies_count(o->gauges); i++) {
		enum merge_policy policy;
		struct str name = gauge_policies_at(o->gauges, i, &policy);

		strbuf_addf(out, " %.*s=%s", STR_ARG(name), merge_policy_name(policy));
	}
	show_period(out, "zero_first", o->has_zero_first, o->zero_first_ns);
	if (o->has_runtime_metrics)
		strbuf_addf(out, " runtime=%s", o->keep_runtime_metrics ? "keep" : "drop");
	if (o->has_max_sources)
		strbuf_addf(out, " sources=%llu", (unsigned long long)o->max_sources);
}

#endif
