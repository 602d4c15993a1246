/* The limits of a rule (struct rule_limits), as the endpoints below /api/v1 show them. */
#ifndef API_LIMITS_JSON_H
#define API_LIMITS_JSON_H

#include "base/str.h"
#include "config/group_rules.h"
#include "store/store.h"

/*
 * {"rule":4,"series":5000,"families":500,"label_values":1000,"most_values":{"label":"u","values":9}}:
 * the line of the rule, its limits, and, with `labels`, the label that is nearest to its limit, if
 * that is known.
 */
void limits_json_add(struct strbuf *b, struct store *s, const struct group_rules *rules,
		     const struct group_rule *rule, bool labels);

#endif
