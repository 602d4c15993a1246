/* What one rule of --config.file says (private to config). */
#ifndef CONFIG_RULE_FIELDS_H
#define CONFIG_RULE_FIELDS_H

#include "config/group_rules.h"
#include "config/yaml_value.h"

/* Reads it into a zeroed rule, which rule_done() takes apart in either case. */
int rule_read(const struct yaml_node *n, struct group_rule *rule, struct err *err);
void rule_done(struct group_rule *rule);

/* Puts the line in front of what an error says. -1. */
int rule_at_line(uint32_t line, struct err *err);

#endif
