#include "base/json.h"

#include "base/utf8.h"

static void add_control(struct strbuf *out, uint32_t cp)
{
	static const char short_escapes[] = "\bb\ff\nn\rr\tt";

	for (const char *p = short_escapes; *p; p += 2)
		if ((unsigned char)*p == cp) {
			strbuf_addc(out, '\\');
			strbuf_addc(out, p[1]);
			return;
		}
	strbuf_addf(out, "\\u%04x", cp);
}

void json_add_string(struct strbuf *out, struct str s)
{
	size_t i = 0;

	strbuf_addc(out, '"');
	while (i < s.n) {
		unsigned len;
		uint32_t cp = utf8_decode((struct str){ s.p + i, s.n - i }, &len);

		if (cp == UTF8_INVALID) {
			strbuf_addz(out, "\\ufffd");
		} else if (cp == '"' || cp == '\\') {
			strbuf_addc(out, '\\');
			strbuf_addc(out, (char)cp);
		} else if (cp < 0x20 || cp == '<' || cp == '>' || cp == '&' || cp == 0x2028 ||
			   cp == 0x2029) {
			add_control(out, cp);
		} else {
			strbuf_add(out, s.p + i, len);
		}
		i += len;
	}
	strbuf_addc(out, '"');
}
