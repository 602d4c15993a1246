/* What one rule of --config.file says (private to config). */
#ifndef CONFIG_RULE_FIELDS_H
#define CONFIG_RULE_FIELDS_H

#include "config/group_rules.h"
#include "config/yaml_value.h"

/* Reads one rule into a zeroed struct, which rule_done() frees, also after a failure. */
int rule_read(const struct yaml_node *n, struct group_rule *rule, struct err *err);
void rule_done(struct group_rule *rule);

/* Puts "line N: " in front of the message and returns -1. */
int rule_at_line(uint32_t line, struct err *err);

#endif
