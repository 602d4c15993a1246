/*
 * The mistakes that everybody makes with the first push: a body that lost its line feeds, or that
 * an editor or a shell wrote in another encoding.
 */
#ifndef FORMAT_TEXT_MISTAKES_H
#define FORMAT_TEXT_MISTAKES_H

#include "base/err.h"
#include "base/str.h"

/*
 * Appends to the message of a text body that could not be parsed what is most likely wrong with
 * it, if that can be told.
 */
void text_name_mistake(struct err *err, struct str body);

#endif
