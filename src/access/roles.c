#include "access/roles.h"

#include <string.h>

static bool names(const struct access_entry *e, const struct who *who)
{
	for (uint32_t i = 0; i < e->n_who; i++) {
		if (who->n == 0 && str_eq(e->who[i], ACCESS_ANONYMOUS))
			return true;
		for (uint32_t k = 0; k < who->n; k++)
			if (str_eq(e->who[i], who->names[k]))
				return true;
	}
	return false;
}

static const struct label *find(const struct key *key, struct str name)
{
	for (uint32_t i = 0; i < key->n_labels; i++)
		if (str_eq(key->labels[i].name, name))
			return &key->labels[i];
	return NULL;
}

/*
 * The entry's first label that the key does not have, or has with another value; NULL: it has all.
 * may_be_absent: only another value counts.
 */
static const struct label *missing(const struct access_entry *e, const struct key *key,
				   bool may_be_absent)
{
	for (uint32_t i = 0; i < e->n_labels; i++) {
		const struct label *l = find(key, e->labels[i].name);

		if (l ? !str_eq(l->value, e->labels[i].value) : !may_be_absent)
			return &e->labels[i];
	}
	return NULL;
}

/* Whether the entry decides: 1, 0, or -1 with *err. *ret_key is the key with the entry's labels. */
static int fits(const struct access_entry *e, enum access_verb verb, const struct key *key,
		struct arena *a, struct key *ret_key, struct err *err)
{
	if (key_put(key, e->labels, e->n_labels, a, ret_key) < 0)
		return err_set(err, ERR_TOO_LARGE, 0,
			       "the labels of the group need more memory than a request may use");
	if (!e->match || (verb != VERB_PUSH && verb != VERB_DELETE))
		return 1;
	return selector_match(e->match, ret_key, err);
}

int role_decide(const struct access_rules *rules, const struct who *who, enum access_verb verb,
		const struct key *key, struct arena *a, struct role_decision *ret, struct err *err)
{
	*ret = (struct role_decision){ .answer = ROLE_MAY_NOT };
	for (size_t i = 0; i < rules->n; i++) {
		const struct access_entry *e = &rules->v[i];
		int r = 1;

		if (!access_entry_lists(e, verb) || !names(e, who))
			continue;
		if (key)
			r = fits(e, verb, key, a, &ret->key, err);
		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		ret->entry = e;
		ret->other = key && !e->override ? missing(e, key, true) : NULL;
		ret->answer = ret->other ? ROLE_OTHER_LABEL : ROLE_MAY;
		return 0;
	}
	return 0;
}

int role_decide_stored(const struct access_rules *rules, const struct who *who,
		       enum access_verb verb, const struct key *key, struct arena *a,
		       enum role_answer *ret, struct err *err)
{
	bool listed = false, meant = false;

	for (size_t i = 0; i < rules->n; i++) {
		const struct access_entry *e = &rules->v[i];
		bool has_labels;
		struct key completed;
		int r;

		if (!access_entry_lists(e, verb) || !names(e, who))
			continue;
		r = fits(e, verb, key, a, &completed, err);
		if (r < 0)
			return -1;
		has_labels = !missing(e, key, false);
		if (r > 0) {
			*ret = has_labels ? ROLE_MAY : ROLE_NOT_MEANT;
			return 0;
		}
		listed = true;
		meant |= has_labels;
	}
	*ret = listed && !meant ? ROLE_NOT_MEANT : ROLE_MAY_NOT;
	return 0;
}

const struct access_entry *role_entry(const struct access_rules *rules, const struct who *who,
				      enum access_verb verb)
{
	for (size_t i = 0; i < rules->n; i++)
		if (access_entry_lists(&rules->v[i], verb) && names(&rules->v[i], who))
			return &rules->v[i];
	return NULL;
}

unsigned role_verbs(const struct access_rules *rules, const struct who *who)
{
	unsigned verbs = 0;

	for (size_t i = 0; i < rules->n; i++)
		if (names(&rules->v[i], who))
			verbs |= rules->v[i].may;
	return verbs;
}

bool role_lets_anonymous(const struct access_rules *rules)
{
	const struct who nobody = { 0 };

	for (size_t i = 0; i < rules->n; i++)
		if (names(&rules->v[i], &nobody))
			return true;
	return false;
}

/* ---- whether the names exist ---- */

static bool has_user(const struct web_config *web, struct str name)
{
	for (size_t i = 0; web && i < web->users.n; i++)
		if (str_eq(str_of(web->users.v[i].name), name))
			return true;
	return false;
}

static bool verifies(const struct web_config *web)
{
	return web && web->tls.on &&
	       (web->tls.client_auth == WEB_VERIFY_CLIENT_CERT_IF_GIVEN ||
		web->tls.client_auth == WEB_REQUIRE_AND_VERIFY_CLIENT_CERT);
}

static int check_name(const struct access_entry *e, struct str name, const struct web_config *web,
		      struct err *err)
{
	char quoted[128];

	str_quote(name, quoted, sizeof(quoted));
	if (str_eq(name, ACCESS_ANONYMOUS)) {
		if (!has_user(web, name))
			return 0;
		return err_set(
			err, ERR_CONFIG, e->line,
			"line %u: anonymous are those without a password, but "
			"basic_auth_users of --web.config.file has a user of that name: give "
			"the user another name",
			e->line);
	}
	if (str_has_prefix(name, STR("cn:")) || str_has_prefix(name, STR("dns:"))) {
		if (verifies(web))
			return 0;
		return err_set(err, ERR_CONFIG, e->line,
			       "line %u: nobody can be %s, since client certificates are not "
			       "verified: write client_auth_type: VerifyClientCertIfGiven (or "
			       "RequireAndVerifyClientCert) into tls_server_config of "
			       "--web.config.file",
			       e->line, quoted);
	}
	if (has_user(web, name))
		return 0;
	return err_set(err, ERR_CONFIG, e->line,
		       "line %u: nobody is called %s: add it to basic_auth_users of "
		       "--web.config.file; a client certificate is named cn:... or dns:...",
		       e->line, quoted);
}

int role_check_names(const struct access_rules *rules, const struct web_config *web,
		     struct err *err)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct access_entry *e = &rules->v[i];

		for (uint32_t k = 0; k < e->n_who; k++)
			if (check_name(e, e->who[k], web, err) < 0)
				return -1;
	}
	return 0;
}
