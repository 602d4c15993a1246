#include "api/html.h"

#include <stdio.h>

#include "base/utf8.h"

void html_add(struct strbuf *out, struct str s)
{
	static const char *const entities[256] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&#34;", ['\''] = "&#39;",
	};

	for (size_t i = 0; i < s.n; i++) {
		const char *entity = entities[(unsigned char)s.p[i]];

		if (entity)
			strbuf_addz(out, entity);
		else
			strbuf_addc(out, s.p[i]);
	}
}

void html_add_cut(struct strbuf *out, struct str s, size_t max)
{
	if (s.n <= max) {
		html_add(out, s);
		return;
	}
	html_add(out, (struct str){ s.p, utf8_cut(s, max) });
	strbuf_addz(out, "…");
}

void html_add_url_part(struct strbuf *out, struct str s)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.' || c == '_')
			strbuf_addc(out, (char)c);
		else
			strbuf_add(out, (char[]){ '%', digits[c >> 4], digits[c & 15] }, 3);
	}
}

void html_add_count(struct strbuf *out, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			strbuf_addc(out, ',');
		strbuf_addc(out, digits[i]);
	}
}

void html_add_size(struct strbuf *out, uint64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	double value = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes < 1000) {
		strbuf_addf(out, "%u B", (unsigned)bytes);
		return;
	}
	for (; value >= 999.5 && unit + 1 < ARRAY_LEN(units); unit++)
		value /= 1000;
	strbuf_addf(out, "%.*f %s", value < 9.95 ? 1 : 0, value, units[unit]);
}

void html_add_duration(struct strbuf *out, double seconds)
{
	uint64_t s = seconds > 0 ? (uint64_t)seconds : 0, hours = s / 3600, days = hours / 24;
	unsigned minutes = (unsigned)(s / 60 % 60);

	if (s < 60) {
		strbuf_addf(out, "%u s", (unsigned)s);
	} else if (s < 3600) {
		strbuf_addf(out, "%u min", minutes);
	} else if (hours < 24) {
		strbuf_addf(out, "%u h", (unsigned)hours);
		if (hours < 5 && minutes)
			strbuf_addf(out, " %u min", minutes);
	} else {
		html_add_count(out, days);
		strbuf_addz(out, " d");
		if (days < 10 && hours % 24)
			strbuf_addf(out, " %u h", (unsigned)(hours % 24));
	}
}
