#include "pages/lifetime.h"

#include <stdlib.h>

void lifetime_free(struct lifetime *l)
{
	if (!l)
		return;
	for (int i = 0; i < N_LIFE_LINES; i++)
		lines_done(&l->lines[i]);
	free(l);
}
