/* Decides whether the limits of its group's rule allow a push. */
#include "base/utf8.h"
#include "config/group_rules.h"
#include "store/internal.h"
#include "store/rule_limit_state.h"

void limits_begin(struct store *s, const struct group *g)
{
	struct counted_rule *r = limits_counts_of(s, g);

	if (r)
		label_counts_begin(&r->counts);
}

static void name_group(const struct group *g, struct strbuf *out)
{
	enum { SHOWN = 120 };

	store_add_key(out, group_key(g));
	if (out->n <= SHOWN)
		return;
	out->n = utf8_cut(strbuf_str(out), SHOWN);
	strbuf_addz(out, "...");
}

struct passed {
	const char *what; /* "series" */
	uint64_t max, before, after, pushed;
};

static int refuse_amount(const struct group *g, const struct group_rule *rule,
			 const struct passed *p, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf group = { 0 };
	bool alone = p->pushed > p->max;

	name_group(g, &group);
	return err_set(err, alone ? ERR_RULE_TOO_LARGE : ERR_RULE_FULL, 0,
		       "the group %s would have %llu %s (now it has %llu), more than the %llu that "
		       "the rule in line %u of --config.file allows (limits: {%s: %llu}): %s, or "
		       "raise the limit",
		       strbuf_z(&group), (unsigned long long)p->after, p->what,
		       (unsigned long long)p->before, (unsigned long long)p->max, rule->line,
		       p->what, (unsigned long long)p->max,
		       alone ? "push fewer" : "delete what is not needed any more");
}

static int check_amount(const struct group *g, const struct group_rule *rule,
			const struct passed *p, struct err *err)
{
	if (p->max == 0 || p->after <= p->max || p->after <= p->before)
		return 0;
	return refuse_amount(g, rule, p, err);
}

static int refuse_label(const struct group *g, const struct group_rule *rule,
			const struct counted_label *l, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf group = { 0 };
	unsigned long long max = rule->guards.limits.label_values;
	bool alone = l->n - l->before > max;
	char name[100];

	name_group(g, &group);
	return err_set(
		err, alone ? ERR_RULE_TOO_LARGE : ERR_RULE_FULL, 0,
		"with this push to the group %s the label %s would have %llu values (now it "
		"has %llu), more than the %llu that the rule in line %u of --config.file "
		"allows in all of its groups (limits: {label_values: %llu}): leave the label "
		"out, delete groups that are not needed any more, or raise the limit",
		strbuf_z(&group), str_quote(l->name, name, sizeof(name)), (unsigned long long)l->n,
		(unsigned long long)l->before, max, rule->line, max);
}

int limits_check_amounts(struct store *s, const struct group *g, const struct amounts_of_push *a,
			 struct err *err)
{
	const struct group_rule *rule;
	const struct rule_limits *lim;

	if (!s->limits || !s->limits->any || !limits_rule_of(s, g, &rule))
		return 0;
	lim = &rule->guards.limits;
	const struct passed series = { "series", lim->series, a->before.series, a->after.series,
				       a->pushed.series };
	const struct passed families = { "families", lim->families, a->before.families,
					 a->after.families, a->pushed.families };

	if (check_amount(g, rule, &series, err) < 0)
		return -1;
	return check_amount(g, rule, &families, err);
}

int limits_check_labels(struct store *s, const struct group *g, struct err *err)
{
	struct counted_rule *r = limits_counts_of(s, g);
	const struct group_rule *rule;

	if (!r || !r->counts.over || !limits_rule_of(s, g, &rule))
		return 0;
	return refuse_label(g, rule, r->counts.over, err);
}

int limits_check_key(struct store *s, const struct group *g, struct err *err)
{
	int r;

	limits_meet(s, g);
	limits_begin(s, g);
	limits_add_group(s, g);
	r = limits_check_labels(s, g, err);
	limits_remove_group(s, g);
	return r;
}
