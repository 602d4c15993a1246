/* The bytes of a stored segment: delimited MetricFamily messages, name first in each. */
#ifndef JOURNAL_BODY_H
#define JOURNAL_BODY_H

#include <stdint.h>

#include "base/str.h"

/*
 * Appends the messages whose family is named in keep. -1 when the body is not what we wrote, or
 * does not hold all of these.
 */
int body_keep(struct str body, const struct str *keep, uint32_t n_keep, struct strbuf *out);

#endif
