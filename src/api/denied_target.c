#include "api/denied_target.h"

#include "api/api.h"
#include "base/base64.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "config/current_rules.h"

/*
 * What a search may cost, since it also happens before a password is checked: a millisecond or so,
 * or some if an expression backtracks, which may take that long for one value.
 */
enum { COST_MAX = 32 * 1024, COST_OF_MATCH = 16, COST_OF_BACKTRACKING = COST_MAX / 8 };

struct search {
	const struct group_rules *rules;
	size_t cost; /* so far: the bytes that were looked at, and those above for each match */
};

static bool has_expressions(const struct group_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rules->v[i].guards.n_deny_values > 0)
			return true;
	return false;
}

static bool is_denied_by(struct search *s, const struct guard_rails *g, struct str value)
{
	for (uint32_t i = 0; i < g->n_deny_values; i++) {
		const struct expression *e = g->deny_values[i];

		s->cost += value.n +
			   (expression_is_regular(e) ? COST_OF_MATCH : COST_OF_BACKTRACKING);
		if (s->cost > COST_MAX || expression_match_quickly(e, value) != 0)
			return true;
	}
	return false;
}

static bool is_denied(struct search *s, struct str value)
{
	if (value.n == 0 || !utf8_valid(value))
		return false;
	for (size_t i = 0; i < s->rules->n; i++)
		if (is_denied_by(s, &s->rules->v[i].guards, value))
			return true;
	return false;
}

/* False: an escape is malformed, so the value is not known. */
static bool percent_decode(struct str text, struct strbuf *out)
{
	bool all = true;

	for (size_t i = 0; i < text.n; i++) {
		int high = i + 2 < text.n && text.p[i] == '%' ? hex_digit(text.p[i + 1]) : -1;
		int low = high < 0 ? -1 : hex_digit(text.p[i + 2]);

		all &= low >= 0 || text.p[i] != '%';
		strbuf_addc(out, low < 0 ? text.p[i] : (char)(high << 4 | low));
		i += low < 0 ? 0 : 2;
	}
	return all;
}

/* Whether a part of the text between two of these bytes is denied. */
static bool any_part_is_denied(struct search *s, struct str text, const char *between)
{
	for (size_t i = 0; i <= text.n;) {
		size_t n = 0;

		while (i + n < text.n && !strchr(between, text.p[i + n]))
			n++;
		if (is_denied(s, (struct str){ text.p + i, n }))
			return true;
		i += n + 1;
	}
	return false;
}

/*
 * Whether a segment, as sent, is denied: as it is, decoded from base64, or a value of a selector in
 * it.
 */
static bool segment_is_denied(struct search *s, struct str segment)
{
	CLEANUP(strbuf_done) struct strbuf plain = { 0 }, decoded = { 0 };
	size_t at;

	if (!percent_decode(segment, &plain) || is_denied(s, strbuf_str(&plain)) ||
	    any_part_is_denied(s, strbuf_str(&plain), "/\"'`"))
		return true;
	return base64url_decode(strbuf_str(&plain), strbuf_reserve(&decoded, plain.n + 3),
				&decoded.n, &at) &&
	       is_denied(s, strbuf_str(&decoded));
}

/* Whether the target has a regular expression, which can stand for a denied value. */
static bool has_expression(struct str target)
{
	CLEANUP(strbuf_done) struct strbuf plain = { 0 };
	const char *query = memchr(target.p, '?', target.n);

	if (!query)
		return false;
	percent_decode((struct str){ query, (size_t)(target.p + target.n - query) }, &plain);
	return plain.n > 0 &&
	       (memmem(plain.p, plain.n, "=~", 2) || memmem(plain.p, plain.n, "!~", 2));
}

static bool search(struct search *s, struct str target)
{
	if (has_expression(target))
		return true;
	for (size_t i = 0; i <= target.n;) {
		size_t n = 0;

		while (i + n < target.n && !strchr("/?&=", target.p[i + n]))
			n++;
		if (segment_is_denied(s, (struct str){ target.p + i, n }))
			return true;
		i += n + 1;
	}
	return false;
}

bool any_value_is_denied(const struct api *api)
{
	CLEANUP(group_rules_unrefp)
	struct group_rules *rules = api->rules ? current_rules_get(api->rules) : NULL;

	return rules && has_expressions(rules);
}

bool target_is_denied(const struct api *api, struct str target)
{
	CLEANUP(group_rules_unrefp)
	struct group_rules *rules = api->rules ? current_rules_get(api->rules) : NULL;
	struct search s = { .rules = rules };

	return rules && has_expressions(rules) && search(&s, target);
}
