#include "metrics/key.h"

#include "base/array.h"
#include "base/base64.h"
#include "base/utf8.h"
#include "metrics/exposable.h"
#include "metrics/key_name.h"
#include "metrics/names.h"

enum { QUOTE_SIZE = 384, NAME_QUOTE_SIZE = 128, VALUE_QUOTE_SIZE = 256 };

static int no_memory(struct err *err)
{
	return err_set(err, ERR_TOO_LARGE, 0,
		       "grouping key needs more memory than a request may use");
}

/* The text before the next '/', or all of it; *rest then begins with that '/' or is empty. */
static struct str take_component(struct str *rest)
{
	const char *slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;
	struct str component = { rest->p, slash ? (size_t)(slash - rest->p) : rest->n };

	rest->p += component.n;
	rest->n -= component.n;
	return component;
}

static void skip(struct str *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

static int decode_job(struct str in, struct arena *a, struct str *ret_job, struct err *err)
{
	char *out = arena_alloc(a, in.n * 3 / 4 + 3);
	char quoted[QUOTE_SIZE];
	struct str job = { out, 0 };
	size_t at;

	if (!out)
		return no_memory(err);
	if (!base64url_decode(in, out, &job.n, &at))
		return err_set(err, ERR_INVALID, 0,
			       "invalid base64 encoding in job name %s: "
			       "illegal base64 data at input byte %zu",
			       str_quote(job, quoted, sizeof(quoted)), at);
	*ret_job = job;
	return 0;
}

/*
 * The Go gateway prints the name as it is; with UTF-8 names that could be a line feed, so what
 * needs an escape gets it, only without the quotes.
 */
static int bad_base64_value(struct str name, struct str raw, size_t at, struct err *err)
{
	char quoted_name[NAME_QUOTE_SIZE], quoted_value[VALUE_QUOTE_SIZE];
	size_t n;

	str_quote(name, quoted_name, sizeof(quoted_name));
	n = strlen(quoted_name) - 2;
	return err_set(err, ERR_INVALID, 0,
		       "invalid base64 encoding for label %.*s=%s: "
		       "illegal base64 data at input byte %zu",
		       (int)n, quoted_name + 1, str_quote(raw, quoted_value, sizeof(quoted_value)),
		       at);
}

static int decode_value(struct str name, struct str raw, struct arena *a, struct str *ret_value,
			struct err *err)
{
	char *out = arena_alloc(a, raw.n * 3 / 4 + 3);
	struct str value = { out, 0 };
	size_t at;

	if (!out)
		return no_memory(err);
	if (!base64url_decode(raw, out, &value.n, &at))
		return bad_base64_value(name, raw, at, err);
	*ret_value = value;
	return 0;
}

/*
 * "__ttl__". "__name__" is not an option: the Go gateway's message calls it an improper label name.
 */
static bool is_option(struct str name)
{
	const struct str mark = STR("__");

	return !str_eq(name, STR("__name__")) && name.n > 2 * mark.n &&
	       str_has_prefix(name, mark) && str_has_suffix(name, mark);
}

static int parse_pair(struct str name, struct str value, const struct key_limits *lim, bool options,
		      struct arena *a, struct label *ret_label, struct err *err)
{
	const struct str suffix = STR("@base64");
	bool encoded = str_has_suffix(name, suffix);

	if (encoded)
		name.n -= suffix.n;
	ret_label->name = name;
	if (!(options && is_option(name)) &&
	    key_name_parse(name, lim->utf8_names, a, &ret_label->name, err) < 0)
		return -1;
	ret_label->value = value;
	return encoded ? decode_value(name, value, a, &ret_label->value, err) : 0;
}

/* One component follows each '/', so this is their number. */
static size_t count_slashes(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '/';
	return n;
}

/* Pairs in the order sent, with one more place for the job. */
static int parse_pairs(struct str labels, const struct key_limits *lim, bool options,
		       struct arena *a, struct label **ret_pairs, size_t *ret_n, struct err *err)
{
	/* "/x/" is job x: one slash alone separates nothing. */
	size_t n_components = labels.n > 1 ? count_slashes(labels) : 0;
	struct label *pairs;
	char quoted[QUOTE_SIZE];

	if (n_components % 2 != 0)
		return err_set(err, ERR_INVALID, 0, "odd number of components in label string %s",
			       str_quote(labels, quoted, sizeof(quoted)));
	pairs = arena_alloc(a, (n_components / 2 + 1) * sizeof(*pairs));
	if (!pairs)
		return no_memory(err);
	for (size_t i = 0; i < n_components / 2; i++) {
		struct str name, value;

		skip(&labels, 1);
		name = take_component(&labels);
		skip(&labels, 1);
		value = take_component(&labels);
		if (parse_pair(name, value, lim, options, a, &pairs[i], err) < 0)
			return -1;
	}
	*ret_pairs = pairs;
	*ret_n = n_components / 2;
	return 0;
}

/* By name; of equal names the one sent first comes first, which makes the order total. */
static int compare_pairs(const void *va, const void *vb)
{
	const struct label *a = *(const struct label *const *)va;
	const struct label *b = *(const struct label *const *)vb;
	int r = str_cmp(a->name, b->name);

	return r ? r : (a > b) - (a < b);
}

/* Makes the key: pairs sorted by name, of each name only the last one. */
static int sort_unique(const struct label *pairs, size_t n, struct arena *a, struct key *ret_key,
		       struct err *err)
{
	const struct label **order = arena_alloc(a, n * sizeof(const struct label *));
	struct label *labels = arena_alloc(a, n * sizeof(*labels));
	uint32_t kept = 0;

	if (!order || !labels)
		return no_memory(err);
	for (size_t i = 0; i < n; i++)
		order[i] = &pairs[i];
	array_sort(order, n, compare_pairs);
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || !str_eq(order[i]->name, order[i + 1]->name))
			labels[kept++] = *order[i];
	*ret_key = (struct key){ .labels = labels, .n_labels = kept };
	return 0;
}

static int check_label(const struct label *l, const struct key_limits *lim, struct err *err)
{
	char name[NAME_QUOTE_SIZE], value[VALUE_QUOTE_SIZE];

	if (l->name.n > lim->max_label_name)
		return err_set(err, ERR_INVALID, 0,
			       "label name %s has %zu bytes, at most %u are allowed "
			       "(--limits.label-name-length)",
			       str_quote(l->name, name, sizeof(name)), l->name.n,
			       lim->max_label_name);
	if (l->value.n > lim->max_label_value)
		return err_set(err, ERR_INVALID, 0,
			       "value of label %s has %zu bytes, at most %u are allowed "
			       "(--limits.label-value-length)",
			       str_quote(l->name, name, sizeof(name)), l->value.n,
			       lim->max_label_value);
	if (utf8_valid(l->value))
		return 0;
	str_quote(l->name, name, sizeof(name));
	return err_set(err, ERR_INVALID, 0,
		       "invalid label value %s for label %.*s: not valid UTF-8",
		       str_quote(l->value, value, sizeof(value)), (int)strlen(name) - 2, name + 1);
}

/* Takes the options out of a key. The same array holds both, its order stays. */
static int take_options(struct key *key, struct arena *a, struct key_options *ret, struct err *err)
{
	uint32_t kept = 0;

	*ret = (struct key_options){ .pairs = arena_alloc(a, key->n_labels * sizeof(*ret->pairs)) };
	if (!ret->pairs)
		return no_memory(err);
	for (uint32_t i = 0; i < key->n_labels; i++) {
		if (is_option(key->labels[i].name))
			ret->pairs[ret->n++] = key->labels[i];
		else
			key->labels[kept++] = key->labels[i];
	}
	key->n_labels = kept;
	return 0;
}

/* A check of ours, made after duplicates are gone: the Go gateway's errors come first. */
static int check_key(const struct key *key, const struct key_limits *lim, struct err *err)
{
	if (key->n_labels > lim->max_labels)
		return err_set(err, ERR_INVALID, 0,
			       "grouping key has %u labels, at most %u are allowed "
			       "(--limits.labels-per-series)",
			       key->n_labels, lim->max_labels);
	for (uint32_t i = 0; i < key->n_labels; i++)
		if (check_label(&key->labels[i], lim, err) < 0)
			return -1;
	return key_check_names(key, err);
}

int key_check_names(const struct key *key, struct err *err)
{
	CLEANUP(label_names_done) struct label_names names = { 0 };
	char quoted_a[NAME_QUOTE_SIZE], quoted_b[NAME_QUOTE_SIZE];
	struct str a, b;

	for (uint32_t i = 0; i < key->n_labels; i++) {
		const char *fault = exposable_label_fault(key->labels[i].name);

		if (fault)
			return err_set(err, ERR_INVALID, 0, "label name %s %s",
				       str_quote(key->labels[i].name, quoted_a, sizeof(quoted_a)),
				       fault);
	}
	if (!label_names_clash(&names, key->labels, key->n_labels, &a, &b))
		return 0;
	return err_set(err, ERR_INVALID, 0,
		       "label names %s and %s are exposed as the same name: rename one",
		       str_quote(a, quoted_a, sizeof(quoted_a)),
		       str_quote(b, quoted_b, sizeof(quoted_b)));
}

int key_parse(struct str rest, const struct key_limits *lim, struct arena *a, struct key *ret_key,
	      struct key_options *ret_options, struct err *err)
{
	const struct str encoded = STR("@base64/");
	bool job_is_base64 = str_has_prefix(rest, encoded);
	struct key key;
	struct label *pairs;
	struct str job;
	size_t n;

	if (!job_is_base64 && !str_has_prefix(rest, STR("/")))
		return err_set(err, ERR_INVALID, 0, "job name is required");
	skip(&rest, job_is_base64 ? encoded.n : 1);
	job = take_component(&rest);
	if (job_is_base64 && decode_job(job, a, &job, err) < 0)
		return -1;
	if (parse_pairs(rest, lim, ret_options != NULL, a, &pairs, &n, err) < 0)
		return -1;
	if (job.n == 0)
		return err_set(err, ERR_INVALID, 0, "job name is required");
	/* Last, so that it overrides a pair named job. */
	pairs[n++] = (struct label){ STR("job"), job };
	if (sort_unique(pairs, n, a, &key, err) < 0)
		return -1;
	if (ret_options && take_options(&key, a, ret_options, err) < 0)
		return -1;
	if (check_key(&key, lim, err) < 0)
		return -1;
	key.plain = !lim->utf8_names;
	for (uint32_t i = 0; i < key.n_labels; i++)
		key.plain &= text_is_verbatim(key.labels[i].value);
	*ret_key = key;
	return 0;
}

int key_put(const struct key *key, const struct label *labels, uint32_t n, struct arena *a,
	    struct key *ret_key)
{
	struct key to = *key;
	uint32_t i = 0, k = 0;

	*ret_key = to;
	if (n == 0)
		return 0;
	to.labels = arena_alloc(a, (key->n_labels + n) * sizeof(*to.labels));
	if (!to.labels)
		return -1;
	to.n_labels = 0;
	while (i < key->n_labels || k < n) {
		int order = i == key->n_labels ? 1
			    : k == n           ? -1
					       : str_cmp(key->labels[i].name, labels[k].name);

		if (order >= 0)
			to.plain &= text_is_verbatim(labels[k].value);
		to.labels[to.n_labels++] = order < 0 ? key->labels[i] : labels[k];
		i += order <= 0;
		k += order >= 0;
	}
	*ret_key = to;
	return 0;
}
