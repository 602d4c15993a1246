#include "config/units.h"

#include "base/cleanup.h"

#define SECOND INT64_C(1000000000)

struct unit {
	struct str name;
	int64_t factor;
};

#define UNIT(name, factor)                         \
	{                                          \
		{ name, sizeof(name) - 1 }, factor \
	}

/* Micro can be U+00B5 or U+03BC; duration_format() writes the first. */
static const struct unit time_units[] = {
	UNIT("ns", 1),       UNIT("us", 1000),  UNIT("\xC2\xB5s", 1000), UNIT("\xCE\xBCs", 1000),
	UNIT("ms", 1000000), UNIT("s", SECOND), UNIT("m", 60 * SECOND),  UNIT("h", 3600 * SECOND),
};

static const struct unit period_units[] = {
	UNIT("ms", 1000000),
	UNIT("s", SECOND),
	UNIT("m", 60 * SECOND),
	UNIT("h", 3600 * SECOND),
	UNIT("d", 24 * (3600 * SECOND)),
};

/* Largest binary unit first, for size_format(). */
static const struct unit size_units[] = {
	UNIT("GiB", INT64_C(1) << 30),
	UNIT("MiB", INT64_C(1) << 20),
	UNIT("KiB", INT64_C(1) << 10),
	UNIT("", 1),
	UNIT("KB", 1000),
	UNIT("MB", 1000000),
	UNIT("GB", 1000000000),
};

static bool find_unit(const struct unit *units, size_t n, struct str name, int64_t *ret_factor)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(units[i].name, name)) {
			*ret_factor = units[i].factor;
			return true;
		}
	}
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Consumes the leading digits; false when they do not fit. No digits are 0. */
static bool take_digits(struct str *s, int64_t *ret_n)
{
	int64_t n = 0;

	while (s->n > 0 && is_digit(s->p[0])) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, s->p[0] - '0', &n))
			return false;
		s->p++;
		s->n--;
	}
	*ret_n = n;
	return true;
}

/* The digits behind a point are digits / scale; those that do not fit are dropped. */
struct fraction {
	int64_t digits;
	double scale;
};

static struct fraction take_fraction(struct str *s)
{
	struct fraction f = { 0, 1 };
	bool full = false;

	for (; s->n > 0 && is_digit(s->p[0]); s->p++, s->n--) {
		int64_t digits;

		full = full || __builtin_mul_overflow(f.digits, 10, &digits) ||
		       __builtin_add_overflow(digits, s->p[0] - '0', &digits);
		if (!full)
			f = (struct fraction){ digits, f.scale * 10 };
	}
	return f;
}

static struct str take_unit_name(struct str *s)
{
	struct str name = { s->p, 0 };

	while (name.n < s->n && s->p[name.n] != '.' && !is_digit(s->p[name.n]))
		name.n++;
	s->p += name.n;
	s->n -= name.n;
	return name;
}

static int bad_duration(const char *what, struct str text, struct err *err)
{
	char quoted[256];

	return err_set(err, ERR_CONFIG, 0, "time: %s duration %s", what,
		       str_quote(text, quoted, sizeof(quoted)));
}

static int unknown_unit(struct str name, struct str text, struct err *err)
{
	char quoted[64], quoted_text[256];

	return err_set(err, ERR_CONFIG, 0, "time: unknown unit %s in duration %s",
		       str_quote(name, quoted, sizeof(quoted)),
		       str_quote(text, quoted_text, sizeof(quoted_text)));
}

/* "1.5h": consumes one number with its unit. */
static int take_term(struct str *s, struct str text, int64_t *ret_ns, struct err *err)
{
	const char *begin = s->p;
	size_t n_digits;
	int64_t whole, factor;
	struct fraction fraction = { 0, 1 };
	struct str name;

	if (!take_digits(s, &whole))
		return bad_duration("invalid", text, err);
	n_digits = (size_t)(s->p - begin);
	if (s->n > 0 && s->p[0] == '.') {
		s->p++;
		s->n--;
		begin = s->p;
		fraction = take_fraction(s);
		n_digits += (size_t)(s->p - begin);
	}
	if (n_digits == 0)
		return bad_duration("invalid", text, err);
	name = take_unit_name(s);
	if (name.n == 0)
		return bad_duration("missing unit in", text, err);
	if (!find_unit(time_units, ARRAY_LEN(time_units), name, &factor))
		return unknown_unit(name, text, err);
	if (__builtin_mul_overflow(whole, factor, ret_ns) ||
	    __builtin_add_overflow(
		    *ret_ns, (int64_t)((double)fraction.digits * ((double)factor / fraction.scale)),
		    ret_ns))
		return bad_duration("invalid", text, err);
	return 0;
}

int duration_parse(struct str s, int64_t *ret_ns, struct err *err)
{
	const struct str text = s;
	bool negative = s.n > 0 && s.p[0] == '-';
	int64_t total = 0;

	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
		s.p++;
		s.n--;
	}
	if (s.n == 0)
		return bad_duration("invalid", text, err);
	if (str_eq(s, STR("0")))
		s.n = 0;
	while (s.n > 0) {
		int64_t term = 0;

		if (take_term(&s, text, &term, err) < 0)
			return -1;
		if (__builtin_add_overflow(total, term, &total))
			return bad_duration("invalid", text, err);
	}
	*ret_ns = negative ? -total : total;
	return 0;
}

static int bad_period(struct str text, struct err *err)
{
	char quoted[128];

	return err_set(
		err, ERR_CONFIG, 0,
		"%s is no duration of up to 3650d: expected 90s, 15m, 2h, 7d, 1h30m, a number of "
		"seconds, or 0 for never",
		str_quote(text, quoted, sizeof(quoted)));
}

/* As take_term(), without a sign; a unit is missing after the last number only if it is alone. */
static bool take_period_term(struct str *s, bool only, int64_t *ret_ns)
{
	struct fraction fraction = { 0, 1 };
	int64_t whole, factor = SECOND;
	struct str name;

	if (s->n == 0 || !is_digit(s->p[0]) || !take_digits(s, &whole))
		return false;
	if (s->n > 1 && s->p[0] == '.' && is_digit(s->p[1])) {
		s->p++;
		s->n--;
		fraction = take_fraction(s);
	}
	name = take_unit_name(s);
	if (name.n == 0 ? !only || s->n > 0
			: !find_unit(period_units, ARRAY_LEN(period_units), name, &factor))
		return false;
	return !__builtin_mul_overflow(whole, factor, ret_ns) &&
	       !__builtin_add_overflow(
		       *ret_ns,
		       (int64_t)((double)fraction.digits * ((double)factor / fraction.scale)),
		       ret_ns);
}

static bool has_digit_above_0(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (is_digit(text.p[i]) && text.p[i] != '0')
			return true;
	return false;
}

int period_parse(struct str s, int64_t *ret_ns, struct err *err)
{
	const struct str text = s;
	int64_t total = 0, term;

	do {
		if (!take_period_term(&s, s.p == text.p, &term) ||
		    __builtin_add_overflow(total, term, &total))
			return bad_period(text, err);
	} while (s.n > 0);
	if (total > PERIOD_MAX)
		return bad_period(text, err);
	/* 0 means never, which less than a nanosecond does not. */
	*ret_ns = total == 0 && has_digit_above_0(text) ? 1 : total;
	return 0;
}

/* Writes v / 10^places, without trailing zeros behind the point. */
static void add_decimal(uint64_t v, int places, struct strbuf *out)
{
	uint64_t scale = 1;

	for (int i = 0; i < places; i++)
		scale *= 10;
	strbuf_addf(out, "%llu", (unsigned long long)(v / scale));
	if (v % scale == 0)
		return;
	strbuf_addf(out, ".%0*llu", places, (unsigned long long)(v % scale));
	while (out->p[out->n - 1] == '0')
		out->n--;
}

void duration_format(int64_t ns, struct strbuf *out)
{
	uint64_t v = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	uint64_t minutes = v / (60 * SECOND);

	if (ns < 0)
		strbuf_addc(out, '-');
	if (v == 0) {
		strbuf_addz(out, "0s");
	} else if (v < 1000) {
		add_decimal(v, 0, out);
		strbuf_addz(out, "ns");
	} else if (v < 1000000) {
		add_decimal(v, 3, out);
		strbuf_addz(out, "\xC2\xB5s");
	} else if (v < SECOND) {
		add_decimal(v, 6, out);
		strbuf_addz(out, "ms");
	} else {
		if (minutes >= 60)
			strbuf_addf(out, "%lluh", (unsigned long long)(minutes / 60));
		if (minutes > 0)
			strbuf_addf(out, "%llum", (unsigned long long)(minutes % 60));
		add_decimal(v % (60 * SECOND), 9, out);
		strbuf_addc(out, 's');
	}
}

bool count_parse(struct str s, int64_t *ret_n)
{
	return s.n > 0 && take_digits(&s, ret_n) && s.n == 0;
}

bool size_parse(struct str s, int64_t *ret_bytes)
{
	int64_t n, factor;

	if (s.n == 0 || !is_digit(s.p[0]) || !take_digits(&s, &n))
		return false;
	if (!find_unit(size_units, ARRAY_LEN(size_units), s, &factor))
		return false;
	return !__builtin_mul_overflow(n, factor, ret_bytes);
}

void size_format(int64_t bytes, struct strbuf *out)
{
	const struct unit *u = size_units;

	while (bytes == 0 ? u->factor != 1 : bytes % u->factor != 0)
		u++;
	strbuf_addf(out, "%lld", (long long)(bytes / u->factor));
	strbuf_adds(out, u->name);
}
