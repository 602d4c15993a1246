/* Label names as they are written in a push path. */
#ifndef METRICS_KEY_NAME_H
#define METRICS_KEY_NAME_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * The label name that a path component stands for; the caller has removed the suffix @base64. With
 * utf8_names any UTF-8 is a name and "U__foo_2e_bar" means "foo.bar". Borrows from the component or
 * lives in the arena. -1: ERR_INVALID for a name that is no label name or is reserved ("__").
 */
int key_name_parse(struct str component, bool utf8_names, struct arena *a, struct str *ret_name,
		   struct err *err);
/*
 * Appends a component that key_name_parse() reads as this name of a label, before the path is
 * percent-encoded, without '/' and "@base64". False: without utf8_names there is none.
 */
bool key_name_write(struct str name, bool utf8_names, struct strbuf *out);

#endif
