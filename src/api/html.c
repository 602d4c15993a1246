#include "api/html.h"

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
