#include "metrics/exposable.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "metrics/escape.h"
#include "metrics/names.h"

static const char NUL[] = "holds a NUL, which no text format can show: take it out";

const char *exposable_metric_fault(struct str name)
{
	if (name_is_classic_metric(name))
		return NULL;
	if (!utf8_valid(name))
		return "is not valid UTF-8: send it as UTF-8";
	return memchr(name.p, '\0', name.n) ? NUL : NULL;
}

/*
 * Whether a label's name becomes __name__, which is to a scraper the label with the metric's name.
 */
static bool becomes_name(struct str name, enum escaping e)
{
	CLEANUP(strbuf_done) struct strbuf form = { 0 };

	escape_name(e, name, &form);
	return str_eq(strbuf_str(&form), STR("__name__"));
}

const char *exposable_label_fault(struct str name)
{
	enum { LONGEST_NAME = 8 * 4 }; /* bytes of what can become "__name__" */

	if (name_is_classic_label(name))
		return NULL;
	if (!utf8_valid(name))
		return "is not valid UTF-8: send it as UTF-8";
	if (name.n && memchr(name.p, '\0', name.n))
		return NUL;
	if (name.n && memchr(name.p, ':', name.n))
		return "holds a colon, which no text format can show in the name of a label: "
		       "take another character";
	if (name.n <= LONGEST_NAME &&
	    (becomes_name(name, ESCAPE_UNDERSCORES) || becomes_name(name, ESCAPE_DOTS)))
		return "is exposed as __name__, the name of the metric: rename it";
	return NULL;
}

struct label_form {
	struct str form;
	uint32_t label;
};

void label_names_done(struct label_names *n)
{
	strbuf_done(&n->last);
	strbuf_done(&n->forms);
	free(n->list);
	*n = (struct label_names){ 0 };
}

static int cmp_forms(const void *a, const void *b)
{
	return str_cmp(((const struct label_form *)a)->form, ((const struct label_form *)b)->form);
}

static bool clash_in(struct label_names *n, enum escaping e, const struct label *labels,
		     uint32_t n_labels, struct str *ret_a, struct str *ret_b)
{
	size_t at = 0;

	n->forms.n = 0;
	for (uint32_t i = 0; i < n_labels; i++) {
		size_t start = n->forms.n;

		escape_name(e, labels[i].name, &n->forms);
		n->list[i] = (struct label_form){ { NULL, n->forms.n - start }, i };
	}
	for (uint32_t i = 0; i < n_labels; at += n->list[i++].form.n)
		n->list[i].form.p = n->forms.p + at;
	array_sort(n->list, n_labels, cmp_forms);
	for (uint32_t i = 1; i < n_labels; i++) {
		if (!str_eq(n->list[i - 1].form, n->list[i].form))
			continue;
		*ret_a = labels[n->list[i - 1].label].name;
		*ret_b = labels[n->list[i].label].name;
		return true;
	}
	return false;
}

/* Remembers the names; true when they are the same as in the last call. */
static bool same_names(struct label_names *n, const struct label *labels, uint32_t n_labels)
{
	n->forms.n = 0;
	for (uint32_t i = 0; i < n_labels; i++) {
		strbuf_add(&n->forms, &labels[i].name.n, sizeof(labels[i].name.n));
		strbuf_adds(&n->forms, labels[i].name);
	}
	if (str_eq(strbuf_str(&n->last), strbuf_str(&n->forms)))
		return true;

	struct strbuf last = n->last;

	n->last = n->forms;
	n->forms = last;
	return false;
}

bool label_names_clash(struct label_names *n, const struct label *labels, uint32_t n_labels,
		       struct str *ret_a, struct str *ret_b)
{
	bool escaped = false, like_a_form = false;

	for (uint32_t i = 0; i < n_labels; i++) {
		if (!name_is_classic_label(labels[i].name))
			escaped = true;
		else
			like_a_form |= escape_may_be_form(labels[i].name);
	}
	if (!escaped || same_names(n, labels, n_labels))
		return false;
	if (n_labels > n->cap) {
		n->cap = n_labels;
		n->list = mem_realloc(n->list, n->cap * sizeof(*n->list));
	}
	/*
	 * Two names that are the same in ESCAPE_DOTS are the same in ESCAPE_UNDERSCORES, and in
	 * ESCAPE_VALUES no two are the same, unless one of them is classic.
	 */
	bool clash = clash_in(n, ESCAPE_UNDERSCORES, labels, n_labels, ret_a, ret_b) ||
		     (like_a_form && (clash_in(n, ESCAPE_DOTS, labels, n_labels, ret_a, ret_b) ||
				      clash_in(n, ESCAPE_VALUES, labels, n_labels, ret_a, ret_b)));

	if (clash)
		n->last.n = 0;
	return clash;
}
