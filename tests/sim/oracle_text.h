/* Expositions as text, for the oracle. */
#ifndef TESTS_SIM_ORACLE_TEXT_H
#define TESTS_SIM_ORACLE_TEXT_H

#include "base/str.h"

/* With its end; *rest goes behind it. */
struct str text_next_line(struct str *rest);
/* Of "# HELP name text" and "# TYPE name type"; empty: of a sample. */
struct str text_family_of(struct str line);
void text_leave_out_help(struct strbuf *text);
/* From the line in which they differ on; of a long line, from a little before. */
void text_add_difference(struct strbuf *why, struct str got, struct str want);

#endif
