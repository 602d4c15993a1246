/* The values that a flag expects, and what was probably meant by a wrong value. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/flags.h"
#include "config/units.h"

const char *const flag_log_levels[] = {
	[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error", NULL
};
const char *const flag_log_formats[] = { [LOG_LOGFMT] = "logfmt", [LOG_JSON] = "json", NULL };

/* ---- what is expected ---- */

static void add_words(const char *const *words, struct strbuf *out)
{
	strbuf_addz(out, words[0]);
	for (size_t i = 1; words[i]; i++)
		strbuf_addf(out, "%s%s", words[i + 1] ? ", " : " or ", words[i]);
}

void flag_add_expected(const struct flag *f, struct strbuf *out)
{
	if (f->automatic)
		strbuf_addz(out, "auto, ");
	switch (f->kind) {
	case FLAG_ACTION:
	case FLAG_BOOL:
		strbuf_addz(out, "no value");
		break;
	case FLAG_STRING:
	case FLAG_STRINGS:
		strbuf_addz(out, "a value");
		break;
	case FLAG_COUNT:
		strbuf_addz(out, "a number from ");
		flag_add_range(f, out);
		break;
	case FLAG_SIZE:
		strbuf_addz(out, "bytes or a number with KiB, MiB, GiB, KB, MB or GB, from ");
		flag_add_range(f, out);
		break;
	case FLAG_DURATION:
		strbuf_addz(out, "a duration like 90s, 5m or 1h30m");
		if (f->min > INT64_MIN) {
			strbuf_addz(out, ", from ");
			flag_add_range(f, out);
		}
		break;
	case FLAG_PERIOD:
		strbuf_addz(out, "a duration like 90s, 15m, 7d or 1h30m, or seconds, from ");
		flag_add_range(f, out);
		break;
	case FLAG_LOG_LEVEL:
		add_words(flag_log_levels, out);
		break;
	case FLAG_LOG_FORMAT:
		add_words(flag_log_formats, out);
		break;
	}
}

/* ---- what was meant ---- */

enum { NAME_MAX_LEN = 64 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Characters to insert, drop or change to make one of the other; letters of either case are equal.
 */
static unsigned distance(struct str a, struct str b)
{
	unsigned row[NAME_MAX_LEN + 1];

	if (a.n > NAME_MAX_LEN || b.n > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a.n; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.n; j++) {
			bool same = str_eq_nocase((struct str){ a.p + i - 1, 1 },
						  (struct str){ b.p + j - 1, 1 });
			unsigned next = min3(row[j] + 1, row[j - 1] + 1, diagonal + !same);

			diagonal = row[j];
			row[j] = next;
		}
	}
	return row[b.n];
}

/* Whether name is all of `of` behind one of its points. */
static bool is_tail_of(struct str name, struct str of)
{
	return name.n >= 4 && of.n > name.n && of.p[of.n - name.n - 1] == '.' &&
	       str_eq_nocase(name, (struct str){ of.p + of.n - name.n, name.n });
}

const struct flag *flags_nearest(const struct flag_table *t, struct str name)
{
	unsigned most = name.n < 6 ? 1 : name.n < 12 ? 2 : 4, best = most + 1;
	const struct flag *nearest = NULL;

	for (size_t i = 0; i < t->n; i++) {
		struct str known = str_of(t->flags[i].name);
		bool part = is_tail_of(name, known) || (name.n > 4 && str_has_prefix(known, name));
		unsigned d = part ? 0 : distance(name, known);

		if (!t->flags[i].hidden && d < best) {
			best = d;
			nearest = &t->flags[i];
		}
	}
	return nearest;
}

static bool meant_word(const char *const *words, struct str value, struct strbuf *out)
{
	for (size_t i = 0; words[i]; i++) {
		struct str word = str_of(words[i]);

		if (distance(value, word) <= 2 || (value.n >= 3 && str_has_prefix(word, value)) ||
		    (word.n >= 3 && str_has_prefix(value, word))) {
			strbuf_addz(out, words[i]);
			return true;
		}
	}
	return false;
}

static size_t digits(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

/* "64M", "64m", "64mb", "64Mi", "64 MiB": the binary unit of that letter. */
static bool meant_size(struct str value, struct strbuf *out)
{
	static const char letters[] = "kmg";
	size_t n = digits(value);
	struct str unit = { value.p + n, value.n - n };
	const char *letter;

	while (unit.n > 0 && unit.p[0] == ' ')
		unit = (struct str){ unit.p + 1, unit.n - 1 };
	if (n == 0 || unit.n == 0 || unit.n > 3)
		return false;
	letter = strchr(letters, unit.p[0] | 0x20);
	if (!letter || !*letter)
		return false;
	strbuf_addf(out, "%.*s%ciB", (int)n, value.p, "KMG"[letter - letters]);
	return true;
}

/* Most people mean seconds by "5"; "1d" is 24h. */
static bool meant_duration(struct str value, struct strbuf *out)
{
	size_t n = digits(value);
	struct str unit = { value.p + n, value.n - n };
	int64_t days;

	if (n == 0 || n > 6)
		return false;
	if (unit.n == 0) {
		strbuf_addf(out, "%.*ss", (int)n, value.p);
		return true;
	}
	if (str_eq_nocase(unit, STR("d")) && count_parse((struct str){ value.p, n }, &days)) {
		strbuf_addf(out, "%lldh", (long long)days * 24);
		return true;
	}
	for (const char *u = "smh"; *u; u++)
		if ((unit.p[0] | 0x20) == *u && (unit.n == 1 || str_eq_nocase(unit, STR("sec")) ||
						 str_eq_nocase(unit, STR("min")))) {
			strbuf_addf(out, "%.*s%c", (int)n, value.p, *u);
			return true;
		}
	return false;
}

bool flag_add_meant(const struct flag *f, struct str value, struct strbuf *out)
{
	switch (f->kind) {
	case FLAG_SIZE:
		return meant_size(value, out);
	case FLAG_DURATION:
		return meant_duration(value, out);
	case FLAG_LOG_LEVEL:
		return meant_word(flag_log_levels, value, out);
	case FLAG_LOG_FORMAT:
		return meant_word(flag_log_formats, value, out);
	default:
		return false;
	}
}
