#include "api/limits_json.h"

#include "api/metric_json.h"
#include "base/json.h"

static void add(struct strbuf *b, const char *name, uint64_t n)
{
	json_add_member(b, name);
	strbuf_addf(b, "%llu", (unsigned long long)n);
}

void limits_json_add(struct strbuf *b, struct store *s, const struct group_rules *rules,
		     const struct group_rule *rule, bool labels)
{
	const struct rule_limits *l = &rule->guards.limits;
	struct label_use use;

	strbuf_addf(b, "{\"rule\":%u", rule->line);
	if (l->series)
		add(b, "series", l->series);
	if (l->families)
		add(b, "families", l->families);
	if (l->label_values)
		add(b, "label_values", l->label_values);
	if (labels && store_label_use(s, rules, rule, &use) && use.values) {
		json_add_member(b, "most_values");
		strbuf_addz(b, "{\"label\":");
		json_add_string(b, (struct str){ use.name, use.name_n });
		add(b, "values", use.values);
		strbuf_addc(b, '}');
	}
	strbuf_addc(b, '}');
}
