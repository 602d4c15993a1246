#include "api/page_said.h"

#include "api/html.h"
#include "api/params.h"

/* Some nine links repeat each of them, and each byte can become three. */
enum { QUERY_MAX = 1000, OTHER_MAX = 128 };

static const char *const names[N_SAID] = {
	"q", "older_than", "failed", "overdue", "conflict", "sort", "by", "cursor",
};

static struct str trimmed(struct str s)
{
	while (s.n && s.p[0] == ' ')
		s = (struct str){ s.p + 1, s.n - 1 };
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

static int check(enum page_said which, struct str value, struct err *err)
{
	if (which == SAID_CURSOR || value.n <= (which == SAID_Q ? QUERY_MAX : OTHER_MAX))
		return 0;
	if (which == SAID_Q)
		return err_set(err, ERR_TOO_LARGE, 0,
			       "more than %d bytes are searched for: search for a part of them, or "
			       "ask /api/v1/groups?match[]=SELECTOR",
			       QUERY_MAX);
	return err_set(err, ERR_TOO_LARGE, 0, "%s has more than %d bytes", names[which], OTHER_MAX);
}

int page_said_read(struct str query, struct arena *a, struct str said[N_SAID], struct err *err)
{
	struct params params;
	int r = 0;

	for (int i = 0; i < N_SAID; i++)
		said[i] = STR("");
	if (params_parse(query, a, &params, err) < 0)
		return -1;
	for (int i = 0; i < N_SAID; i++) {
		struct str value = trimmed(params_get(&params, names[i]));

		if (check((enum page_said)i, value, err) < 0)
			r = -1;
		else
			said[i] = value;
	}
	return r;
}

void page_said_link(struct strbuf *b, const struct str said[N_SAID], enum page_said changed,
		    struct str value)
{
	const char *before = "?";

	for (int i = 0; i < N_SAID; i++) {
		struct str v = i == (int)changed ? value : said[i];

		/* With another filter, the list begins at its first page. */
		if (v.n == 0 || (i == SAID_CURSOR && changed != SAID_CURSOR))
			continue;
		strbuf_addf(b, "%s%s=", before, names[i]);
		html_add_url_part(b, v);
		before = "&amp;";
	}
	if (*before == '?')
		strbuf_addz(b, "./");
}

void page_said_inputs(struct strbuf *b, const struct str said[N_SAID])
{
	static const enum page_said kept[] = { SAID_FAILED, SAID_OVERDUE, SAID_CONFLICT,
					       SAID_SORT };

	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		if (said[kept[i]].n == 0)
			continue;
		strbuf_addf(b, "<input type=\"hidden\" name=\"%s\" value=\"", names[kept[i]]);
		html_add(b, said[kept[i]]);
		strbuf_addz(b, "\">");
	}
}
