/* Who may do what: (user, verb, group) cases, and names that nobody can have. */
#include <stdlib.h>

#include "access/roles.h"
#include "config/group_rules.h"
#include "lib/run.h"

static const char access_text[] =
	"access:\n"
	"- {who: [ci], may: [push, delete], match: '{job=~\"ci-.*\",team=\"ci\"}', labels: {team: "
	"ci}}\n"
	"- {who: [web, 'cn:web', 'dns:web.example'], may: [push, delete], match: '{job=\"web\"}'}\n"
	"- {who: [web], may: [push], match: '{job=\"shared\"}', labels: {team: web}, override: "
	"true}\n"
	"- {who: [tenant], may: [push, delete, read], labels: {team: t}}\n"
	"- {who: [tenant], may: [push], match: '{team=\"common\"}'}\n"
	"- {who: [prometheus], may: [scrape]}\n"
	"- {who: [anonymous], may: [probe]}\n"
	"- {who: [ops], may: [push, delete, scrape, read, admin]}\n";

static struct group_rules *rules_of(const char *text)
{
	struct group_rules *rules;
	struct err err;

	ck_assert_msg(group_rules_parse(str_of(text), &rules, &err) == 0, "%s", err.msg);
	return rules;
}

/* "a b": two names; "": anonymous. */
static struct who who_of(const char *text, struct str names[4])
{
	struct who who = { names, 0 };

	while (*text) {
		size_t n = strcspn(text, " ");

		names[who.n++] = (struct str){ text, n };
		text += n + (text[n] == ' ');
	}
	return who;
}

/* "job=a,team=b", sorted. NULL: no key. */
static const struct key *key_of(const char *text, struct label labels[8], struct key *key)
{
	*key = (struct key){ labels, 0, true };
	while (text && *text) {
		size_t n = strcspn(text, ","), name = strcspn(text, "=");

		labels[key->n_labels++] = (struct label){ { text, name },
							  { text + name + 1, n - name - 1 } };
		text += n + (text[n] == ',');
	}
	return text ? key : NULL;
}

static void show(struct strbuf *out, const struct role_decision *d, bool has_key)
{
	static const char *const answers[] = { "may", "may not", "other", "not meant" };

	strbuf_addz(out, answers[d->answer]);
	if (d->entry)
		strbuf_addf(out, " %u", d->entry->line);
	if (d->other)
		strbuf_addf(out, " %.*s", STR_ARG(d->other->name));
	for (uint32_t i = 0; d->answer == ROLE_MAY && has_key && i < d->key.n_labels; i++)
		strbuf_addf(out, "%s%.*s=%.*s", i ? "," : " ", STR_ARG(d->key.labels[i].name),
			    STR_ARG(d->key.labels[i].value));
}

static const struct {
	const char *who;
	enum access_verb verb;
	const char *key, *want;
} cases[] = {
	/* The key is completed before match is asked. */
	{ "ci", VERB_PUSH, "job=ci-1", "may 2 job=ci-1,team=ci" },
	{ "ci", VERB_DELETE, "instance=x,job=ci-1", "may 2 instance=x,job=ci-1,team=ci" },
	{ "ci", VERB_PUSH, "job=ci-1,team=ci", "may 2 job=ci-1,team=ci" },
	{ "ci", VERB_PUSH, "job=web", "may not" },
	{ "ci", VERB_DELETE, "job=xci-1", "may not" },
	{ "ci", VERB_PUSH, "job=ci-1,team=web", "other 2 team" },
	{ "ci", VERB_DELETE, "job=ci-1,team=web", "other 2 team" },
	{ "ci", VERB_SCRAPE, "job=ci-1", "may not" },
	{ "ci", VERB_SCRAPE, NULL, "may not" },
	{ "ci", VERB_READ, NULL, "may not" },
	{ "ci", VERB_ADMIN, NULL, "may not" },
	{ "ci", VERB_PROBE, NULL, "may not" },
	/* Without a key: some of their groups. */
	{ "ci", VERB_DELETE, NULL, "may 2" },
	{ "web", VERB_PUSH, NULL, "may 3" },
	/* Each name of a certificate is one of theirs. */
	{ "web", VERB_PUSH, "job=web", "may 3 job=web" },
	{ "cn:web", VERB_PUSH, "job=web", "may 3 job=web" },
	{ "dns:web.example", VERB_DELETE, "job=web", "may 3 job=web" },
	{ "cn:x dns:x dns:web.example", VERB_DELETE, "job=web", "may 3 job=web" },
	{ "x cn:web", VERB_DELETE, "job=web", "may 3 job=web" },
	{ "cn:ci", VERB_PUSH, "job=ci-1", "may not" },
	{ "dns:web", VERB_PUSH, "job=web", "may not" },
	{ "dns:web.example.org", VERB_PUSH, "job=web", "may not" },
	/* The first that fits decides. */
	{ "web", VERB_PUSH, "job=shared", "may 4 job=shared,team=web" },
	{ "web", VERB_PUSH, "job=shared,team=ci", "may 4 job=shared,team=web" },
	{ "web", VERB_DELETE, "job=shared", "may not" },
	{ "cn:web", VERB_PUSH, "job=shared", "may not" },
	{ "tenant", VERB_PUSH, "job=a", "may 5 job=a,team=t" },
	{ "tenant", VERB_PUSH, "job=a,team=common", "other 5 team" },
	{ "tenant", VERB_READ, NULL, "may 5" },
	{ "prometheus", VERB_SCRAPE, NULL, "may 7" },
	{ "prometheus", VERB_SCRAPE, "job=ci-1", "may 7 job=ci-1" },
	{ "prometheus", VERB_READ, NULL, "may not" },
	{ "prometheus", VERB_PROBE, NULL, "may not" },
	/* Who has a name is not anonymous. */
	{ "", VERB_PROBE, NULL, "may 8" },
	{ "", VERB_SCRAPE, NULL, "may not" },
	{ "", VERB_PUSH, "job=web", "may not" },
	{ "", VERB_ADMIN, NULL, "may not" },
	{ "nobody", VERB_PROBE, NULL, "may not" },
	{ "ops", VERB_PUSH, "job=web", "may 9 job=web" },
	{ "ops", VERB_DELETE, "job=ci-1,team=web", "may 9 job=ci-1,team=web" },
	{ "ops", VERB_SCRAPE, NULL, "may 9" },
	{ "ops", VERB_READ, NULL, "may 9" },
	{ "ops", VERB_ADMIN, NULL, "may 9" },
	{ "ops", VERB_PROBE, NULL, "may not" },
	{ "cn:ops", VERB_ADMIN, NULL, "may not" },
	{ "OPS", VERB_ADMIN, NULL, "may not" },
};

START_TEST(decision)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = rules_of(access_text);
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(arena_done) struct arena a;
	struct role_decision d;
	struct label labels[8];
	struct str names[4];
	struct who who = who_of(cases[_i].who, names);
	struct key key;
	struct err err;

	arena_init(&a, 1 << 20);
	ck_assert_int_eq(role_decide(rules->access, &who, cases[_i].verb,
				     key_of(cases[_i].key, labels, &key), &a, &d, &err),
			 0);
	show(&got, &d, cases[_i].key != NULL);
	ck_assert_msg(strcmp(strbuf_z(&got), cases[_i].want) == 0, "%s %s %s: %s", cases[_i].who,
		      access_verbs[cases[_i].verb], cases[_i].key ? cases[_i].key : "-",
		      strbuf_z(&got));
}
END_TEST

static const struct {
	const char *who;
	enum access_verb verb;
	const char *key;
	enum role_answer want;
} stored[] = {
	{ "ci", VERB_DELETE, "job=ci-1,team=ci", ROLE_MAY },
	{ "ci", VERB_DELETE, "job=ci-1", ROLE_NOT_MEANT },
	{ "ci", VERB_DELETE, "job=ci-1,team=web", ROLE_NOT_MEANT },
	{ "ci", VERB_DELETE, "job=web", ROLE_NOT_MEANT },
	{ "ci", VERB_DELETE, "job=web,team=ci", ROLE_MAY_NOT },
	{ "ci", VERB_READ, "job=ci-1,team=ci", ROLE_MAY_NOT },
	{ "web", VERB_DELETE, "job=web", ROLE_MAY },
	{ "web", VERB_DELETE, "job=ci-1", ROLE_MAY_NOT },
	{ "tenant", VERB_DELETE, "job=a,team=t", ROLE_MAY },
	{ "tenant", VERB_DELETE, "job=a", ROLE_NOT_MEANT },
	{ "tenant", VERB_READ, "job=a,team=t", ROLE_MAY },
	{ "tenant", VERB_READ, "job=a,team=u", ROLE_NOT_MEANT },
	{ "tenant", VERB_PUSH, "job=a,team=common", ROLE_NOT_MEANT },
	{ "ops", VERB_DELETE, "job=a", ROLE_MAY },
	{ "", VERB_DELETE, "job=a", ROLE_MAY_NOT },
};

START_TEST(of_stored_groups)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = rules_of(access_text);
	CLEANUP(arena_done) struct arena a;
	enum role_answer answer;
	struct label labels[8];
	struct str names[4];
	struct who who = who_of(stored[_i].who, names);
	struct key key;
	struct err err;

	arena_init(&a, 1 << 20);
	ck_assert_int_eq(role_decide_stored(rules->access, &who, stored[_i].verb,
					    key_of(stored[_i].key, labels, &key), &a, &answer,
					    &err),
			 0);
	ck_assert_msg(answer == stored[_i].want, "%s %s %s: %d", stored[_i].who,
		      access_verbs[stored[_i].verb], stored[_i].key, answer);
}
END_TEST

START_TEST(verbs)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = rules_of(access_text);
	struct str names[4];
	struct who who = who_of("web cn:x", names);

	ck_assert_uint_eq(role_verbs(rules->access, &who), 1 << VERB_PUSH | 1 << VERB_DELETE);
	who = who_of("", names);
	ck_assert_uint_eq(role_verbs(rules->access, &who), 1 << VERB_PROBE);
	ck_assert(role_lets_anonymous(rules->access));
}
END_TEST

START_TEST(an_expression_that_takes_too_long)
{
	CLEANUP(group_rules_unrefp)
	struct group_rules *rules = rules_of(
		"access:\n- {who: [a], may: [push], match: '{job=~\"(?=a)(a|aa)+\"}'}\n"
		"- {who: [a], may: [push]}\n");
	char job[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
	struct label label = { STR("job"), { job, sizeof(job) - 1 } };
	const struct key key = { &label, 1, true };
	CLEANUP(arena_done) struct arena a;
	struct role_decision d;
	struct str names[4];
	struct who who = who_of("a", names);
	enum role_answer answer;
	struct err err;

	arena_init(&a, 1 << 20);
	ck_assert_int_lt(role_decide(rules->access, &who, VERB_PUSH, &key, &a, &d, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "takes too long"));
	ck_assert_int_lt(
		role_decide_stored(rules->access, &who, VERB_PUSH, &key, &a, &answer, &err), 0);
}
END_TEST

#define HASH "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
#define USERS "basic_auth_users: {ops: " HASH ", anonymous2: " HASH "}\n"
#define TLS(auth)                                                            \
	"tls_server_config: {cert_file: a, key_file: b, client_ca_file: c, " \
	"client_auth_type: " auth "}\n"

static const struct {
	const char *who, *web, *want; /* web NULL: there is none; want NULL: they can exist */
} existing[] = {
	{ "ops", USERS, NULL },
	{ "Ops", USERS, "line 2: nobody is called \"Ops\": add it to basic_auth_users" },
	{ "ops", NULL, "nobody is called \"ops\"" },
	{ "ops", "", "nobody is called \"ops\"" },
	{ "anonymous", NULL, NULL },
	{ "anonymous", USERS, NULL },
	{ "anonymous", "basic_auth_users: {anonymous: " HASH "}\n", "give the user another name" },
	{ "cn:ops", USERS, "nobody can be \"cn:ops\", since client certificates are not verified" },
	{ "cn:ops", NULL, "VerifyClientCertIfGiven" },
	{ "cn:ops", TLS("RequireAnyClientCert"), "not verified" },
	{ "dns:a.example", TLS("RequestClientCert"), "not verified" },
	{ "cn:ops", TLS("RequireAndVerifyClientCert"), NULL },
	{ "dns:a.example", TLS("VerifyClientCertIfGiven"), NULL },
};

START_TEST(names_that_nobody_has)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	CLEANUP(web_config_freep) struct web_config *web = NULL;
	struct err err = { 0 };
	int r;

	strbuf_addf(&text, "access:\n- {who: ['%s'], may: [read]}\n", existing[_i].who);
	rules = rules_of(strbuf_z(&text));
	if (existing[_i].web)
		ck_assert_msg(web_config_parse(str_of(existing[_i].web), STR(""), &web, &err) == 0,
			      "%s", err.msg);
	r = role_check_names(rules->access, web, &err);
	ck_assert_int_eq(r, existing[_i].want ? -1 : 0);
	if (existing[_i].want)
		ck_assert_msg(strstr(err.msg, existing[_i].want) != NULL, "%s", err.msg);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("roles");

	tcase_add_loop_test(tc, decision, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tc, of_stored_groups, 0, ARRAY_LEN(stored));
	tcase_add_test(tc, verbs);
	tcase_add_test(tc, an_expression_that_takes_too_long);
	tcase_add_loop_test(tc, names_that_nobody_has, 0, ARRAY_LEN(existing));
	return run_cases("roles", tc);
}
