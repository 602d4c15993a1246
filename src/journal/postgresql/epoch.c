/* Epochs and kinds of rows that this version does not know. */
#include "journal/postgresql/internal.h"
#include "journal/postgresql/migrate.h"

const char *postgresql_epoch_column(const struct postgresql *p)
{
	return p->epoch < 2 ? "format" : "epoch";
}

static int is_newer(struct postgresql *p, const struct err *why)
{
	p->newer = true;
	p->why = *why;
	return -1;
}

int postgresql_note_epoch(struct postgresql *p, long epoch, struct err *err)
{
	bool known = epoch <= postgresql_newest_epoch();

	if (known) {
		p->epoch = epoch;
		p->newer = false;
		return 0;
	}
	err_set(err, ERR_STORAGE, 0,
		"the log in schema %s is of a newer version (epoch %ld, this one knows %ld): "
		"upgrade this gateway",
		p->settings.schema, epoch, postgresql_newest_epoch());
	return is_newer(p, err);
}

int postgresql_found_newer(struct postgresql *p, uint64_t number, struct err *err)
{
	err_set(err, ERR_STORAGE, 0,
		"row %llu of the log in schema %s is of a kind that this version does not know: "
		"upgrade this gateway",
		(unsigned long long)number, p->settings.schema);
	return is_newer(p, err);
}
