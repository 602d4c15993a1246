/* The canonical bytes of a key. */
#include "base/utf8.h"
#include "metrics/key.h"

enum { SEPARATOR = 0xFF };

void key_encode(const struct key *key, struct strbuf *out)
{
	for (uint32_t i = 0; i < key->n_labels; i++) {
		strbuf_adds(out, key->labels[i].name);
		strbuf_addc(out, (char)SEPARATOR);
		strbuf_adds(out, key->labels[i].value);
		strbuf_addc(out, (char)SEPARATOR);
	}
}

/* Up to the next separator, which is consumed; false when there is none. */
static bool next_field(struct str *rest, struct str *ret_field)
{
	const char *end = rest->n ? memchr(rest->p, SEPARATOR, rest->n) : NULL;

	if (!end)
		return false;
	*ret_field = (struct str){ rest->p, (size_t)(end - rest->p) };
	*rest = (struct str){ end + 1, rest->n - ret_field->n - 1 };
	return true;
}

/* The same for bytes that may be anything: false also when the field is not UTF-8. */
static bool take_field(struct str *rest, struct str *ret_field)
{
	return next_field(rest, ret_field) && utf8_valid(*ret_field);
}

static bool has_job(const struct key *key)
{
	for (uint32_t i = 0; i < key->n_labels; i++)
		if (str_eq(key->labels[i].name, STR("job")))
			return key->labels[i].value.n > 0;
	return false;
}

int key_decode_labels(struct str bytes, struct arena *a, struct key *ret_key)
{
	struct key key = { 0 };
	size_t fields = 0;

	for (size_t i = 0; i < bytes.n; i++)
		fields += bytes.p[i] == (char)SEPARATOR;
	if (fields % 2 != 0 || fields / 2 > UINT32_MAX)
		return -1;
	key.labels = arena_alloc(a, fields / 2 * sizeof(*key.labels));
	if (!key.labels)
		return -1;
	while (bytes.n > 0) {
		struct label *l = &key.labels[key.n_labels];

		if (!take_field(&bytes, &l->name) || !take_field(&bytes, &l->value))
			return -1;
		if (l->name.n == 0 || str_has_prefix(l->name, STR("__")))
			return -1;
		if (key.n_labels > 0 && str_cmp(l[-1].name, l->name) >= 0)
			return -1;
		key.n_labels++;
	}
	*ret_key = key;
	return 0;
}

int key_decode(struct str bytes, struct arena *a, struct key *ret_key)
{
	return key_decode_labels(bytes, a, ret_key) < 0 || !has_job(ret_key) ? -1 : 0;
}

struct str key_value(struct str bytes, struct str name)
{
	struct str n, value;

	/* The bytes were checked when they were made or decoded. */
	while (next_field(&bytes, &n) && next_field(&bytes, &value))
		if (str_eq(n, name))
			return value;
	return STR("");
}
