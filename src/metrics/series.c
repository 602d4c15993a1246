#include "metrics/series.h"

#include "base/hash.h"

size_t series_head(struct str line)
{
	size_t i = 0;
	bool quoted = false;

	while (i < line.n && line.p[i] != '{' && line.p[i] != ' ')
		i++;
	if (i == line.n || line.p[i] == ' ')
		return i;
	for (i++; i < line.n; i++) {
		if (quoted && line.p[i] == '\\')
			i++;
		else if (line.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && line.p[i] == '}')
			return i + 1;
	}
	return line.n;
}

/*
 * Length of the labels without a last `le` or `quantile`, which are always written last; 0 when
 * the last label is another. Their values are numbers, so the quote before the closing one opens
 * them; were it part of another label's value, a backslash and not '=' would stand before it.
 */
static size_t without_last(struct str labels)
{
	static const struct str last[] = { { ",le=", 4 }, { ",quantile=", 10 } };
	const char *open = labels.n > 3 ? memrchr(labels.p, '"', labels.n - 2) : NULL;

	for (size_t i = 0; open && i < ARRAY_LEN(last); i++) {
		struct str before = { labels.p, (size_t)(open - labels.p) };

		if (str_has_suffix(before, last[i]))
			return before.n - last[i].n;
	}
	return 0;
}

static bool id_matches(struct strbuf *id, size_t start, uint64_t hash)
{
	return hash_bytes((struct str){ id->p + start, id->n - start }) == hash;
}

bool series_find(struct str text, struct str exposed_name, uint64_t hash, struct strbuf *ret_id)
{
	size_t start = ret_id->n;

	while (text.n > 0) {
		const char *lf = memchr(text.p, '\n', text.n);
		struct str line = { text.p, lf ? (size_t)(lf - text.p) : text.n };
		size_t head = series_head(line);
		const char *brace = memchr(line.p, '{', head);
		struct str labels = STR_NULL;

		if (brace)
			labels = (struct str){ brace, head - (size_t)(brace - line.p) };
		strbuf_adds(ret_id, exposed_name);
		size_t before_labels = ret_id->n;
		size_t shorter = without_last(labels);

		strbuf_adds(ret_id, labels);
		if (id_matches(ret_id, start, hash))
			return true;
		if (shorter) {
			ret_id->n = before_labels + shorter;
			strbuf_addc(ret_id, '}');
			if (id_matches(ret_id, start, hash))
				return true;
		}
		ret_id->n = start;
		text.p += line.n + (lf ? 1 : 0);
		text.n -= line.n + (lf ? 1 : 0);
	}
	return false;
}
