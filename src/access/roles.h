/*
 * Who may do what: the one decision, from who somebody is, what a request does and which group it
 * is for, by the entries of `access:` (config/access_rules.h). Pure functions; any thread.
 *
 * Somebody has a name for each way that identified them: "ops" is a user whose password was right,
 * "cn:ops" and "dns:host" are names of a verified client certificate. Nobody else can have such a
 * name, since a user's name cannot contain a colon (RFC 7617 section 2). Without a name they are
 * "anonymous".
 */
#ifndef ACCESS_ROLES_H
#define ACCESS_ROLES_H

#include "access/web_config.h"
#include "base/arena.h"
#include "config/access_rules.h"
#include "metrics/key.h"

struct who {
	struct str *names;
	uint32_t n; /* 0: anonymous */
};

enum role_answer {
	ROLE_MAY,
	ROLE_MAY_NOT,
	/* The entry that decides has a label of which the path says another value. */
	ROLE_OTHER_LABEL,
	/* Only of stored groups: a request that has no path does not mean it, since it has not the
	 * labels of the entry that decides. */
	ROLE_NOT_MEANT,
};

struct role_decision {
	enum role_answer answer;
	const struct access_entry *entry; /* that decided; NULL: none did */
	const struct label *other;        /* of ROLE_OTHER_LABEL: the entry's */
	struct key key;                   /* completed; of the arena */
};

/*
 * Of a request to the group with that key, as its path has it; NULL: it is for no group, or for
 * those that a selector means, and each of these is asked for with role_decide_stored(). The first
 * entry decides that names them, lists the verb and whose `match` fits the key with the entry's
 * labels. Only pushes and deletes have a `match`. -1: an expression took too long, or the arena is
 * full.
 */
int role_decide(const struct access_rules *rules, const struct who *who, enum access_verb verb,
		const struct key *key, struct arena *a, struct role_decision *ret, struct err *err);

/*
 * Of a group that is stored, when a selector reaches it: ROLE_MAY, ROLE_MAY_NOT or ROLE_NOT_MEANT.
 * -1 as above.
 */
int role_decide_stored(const struct access_rules *rules, const struct who *who,
		       enum access_verb verb, const struct key *key, struct arena *a,
		       enum role_answer *ret, struct err *err);

/* The first entry that names them and lists the verb; NULL: none does. */
const struct access_entry *role_entry(const struct access_rules *rules, const struct who *who,
				      enum access_verb verb);
/* Verbs that some entry lists for them, a bit for each: what a page offers. */
unsigned role_verbs(const struct access_rules *rules, const struct who *who);
/* Those without a password are let in, since an entry says what they may do. */
bool role_lets_anonymous(const struct access_rules *rules);

/*
 * Whether everybody named can exist with this web configuration (NULL: there is none). -1:
 * ERR_CONFIG, which says what to write instead.
 */
int role_check_names(const struct access_rules *rules, const struct web_config *web,
		     struct err *err);

#endif
