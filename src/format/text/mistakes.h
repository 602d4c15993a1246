/*
 * Common mistakes of a first push: the body lost its line feeds, or an editor or a shell wrote it
 * in another encoding.
 */
#ifndef FORMAT_TEXT_MISTAKES_H
#define FORMAT_TEXT_MISTAKES_H

#include "base/err.h"
#include "base/str.h"

/*
 * Appends to the error of a text body that could not be parsed the mistake that explains it, if one
 * does.
 */
void text_name_mistake(struct err *err, struct str body);

#endif
