#include "sim/rules.h"

#include "lib/rng.h"

enum { K_TTL = 20, J_TTL = 90, J_SERIES = 5 };

static bool is_k(int group)
{
	return str_has_prefix(str_of(naive_paths[group]), STR("/k"));
}

void rules_random(uint64_t *rng, struct sim_rules *r)
{
	r->file = rng_below(rng, RULES_WRONG);
	if (!r->ends)
		r->file &= ~(unsigned)(RULES_K_TTL | RULES_J_TTL);
	if (rng_one_in(rng, 5))
		r->file |= RULES_WRONG;
}

static void add_rule(struct strbuf *out, const char *match, const char *first, const char *second)
{
	if (*first || *second)
		strbuf_addf(out, "- match: '%s'\n%s%s", match, first, second);
}

static void add_text(unsigned rules, struct strbuf *out)
{
	const unsigned of_groups = RULES_K_TTL | RULES_K_DENIED | RULES_J_TTL | RULES_J_SERIES;

	if (rules & RULES_ACCESS)
		strbuf_addz(out,
			    "access:\n- who: [anonymous]\n  may: [scrape, read, admin, probe]\n"
			    "- who: [anonymous]\n  may: [push, delete]\n"
			    "  match: '{job=~\"j|sums|added\"}'\n");
	strbuf_addz(out, rules & (of_groups | RULES_WRONG) ? "rules:\n" : "rules: []\n");
	add_rule(out, "{job=\"k\"}", rules & RULES_K_TTL ? "  ttl: 20s\n" : "",
		 rules & RULES_K_DENIED ? "  deny_labels: [pad]\n" : "");
	add_rule(out, "{job=\"j\"}", rules & RULES_J_TTL ? "  ttl: 90s\n" : "",
		 rules & RULES_J_SERIES ? "  limits: {series: 5}\n" : "");
	if (rules & RULES_WRONG)
		strbuf_addz(out, "- match: '{job='\n");
}

void rules_write(const struct sim_rules *r, struct disk *d)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	add_text(r->file, &text);
	disk_put_file(d, RULES_FILE, strbuf_str(&text));
}

int rules_ttl(unsigned rules, bool ends, int group, int otherwise)
{
	if (!ends)
		return 0;
	if (is_k(group))
		return rules & RULES_K_TTL ? K_TTL : otherwise;
	return rules & RULES_J_TTL ? J_TTL : otherwise;
}

int rules_refusal(unsigned rules, const struct naive_push *p)
{
	if (is_k(p->group) && rules & RULES_ACCESS)
		return 401;
	if (p->mode == PUSH_DELETE || !is_k(p->group) || !(rules & RULES_K_DENIED))
		return 0;
	for (int i = 0; i < p->n; i++)
		for (int k = 0; k < p->families[i].n; k++)
			if (p->families[i].series[k].padded)
				return 400;
	return 0;
}

unsigned rules_spared(unsigned rules)
{
	unsigned groups = 0;

	for (int g = 0; g < NAIVE_GROUPS && rules & RULES_ACCESS; g++)
		groups |= is_k(g) ? 1u << g : 0;
	return groups;
}

uint64_t rules_series(unsigned rules, int group)
{
	return !is_k(group) && rules & RULES_J_SERIES ? J_SERIES : 0;
}

bool rules_hinder_undo(const struct sim_rules *r)
{
	return (r->file | r->pushes | r->committer) & (RULES_K_DENIED | RULES_J_SERIES);
}
