/* Shared by the files that read the web configuration. */
#ifndef ACCESS_WEB_CONFIG_INTERNAL_H
#define ACCESS_WEB_CONFIG_INTERNAL_H

#include "access/web_config.h"
#include "config/yaml_value.h"

/* web_config_lists.c: what is read is in *to, also when -1 is returned. */
int read_strings(const struct yaml_node *n, const char *type, struct web_strings *to,
		 struct err *err);
/* A pair for each item of a map, in their order; two of one name are refused. */
int read_pairs(const struct yaml_node *n, const char *type, const char *value_type,
	       struct web_pairs *to, struct err *err);
void strings_free(struct web_strings *s);
void pairs_free(struct web_pairs *p);

/* web_config_tls.c: tls_server_config, into a struct web_tls. */
int read_tls(const struct yaml_node *n, void *to, struct err *err);
void tls_free(struct web_tls *tls);

#endif
