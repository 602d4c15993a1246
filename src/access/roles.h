/*
 * Decides who may do what, by the entries of `access:` (config/access_rules.h): from who sends a
 * request, what it does, and which group it is for. Pure functions; any thread.
 *
 * A sender has a name for each way that identifies it: "ops" is a user whose password was right,
 * "cn:ops" and "dns:host" are names of a verified client certificate, which no user can have, since
 * a user's name cannot contain a colon (RFC 7617 section 2). A sender without a name is
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
	/* The entry that decides has a label that the path has with another value. */
	ROLE_OTHER_LABEL,
	/*
	 * Only for stored groups: a request with a selector does not mean this group, since the
	 * group lacks the labels of the entry that decides.
	 */
	ROLE_NOT_MEANT,
};

struct role_decision {
	enum role_answer answer;
	const struct access_entry *entry; /* the one that decided; NULL: none did */
	const struct label *other;        /* of ROLE_OTHER_LABEL: the entry's */
	struct key key;                   /* the key with the entry's labels; in the arena */
};

/*
 * Decides on a request to the group with that key, as in its path. key NULL: the request is for no
 * group, or for those of a selector, for each of which role_decide_stored() decides. The first
 * entry decides that names the sender, lists the verb, and whose `match` fits the key with the
 * entry's labels. `match` counts only for pushes and deletes. -1: an expression took too long, or
 * the arena is full.
 */
int role_decide(const struct access_rules *rules, const struct who *who, enum access_verb verb,
		const struct key *key, struct arena *a, struct role_decision *ret, struct err *err);

/*
 * Decides on a stored group that a selector matches: ROLE_MAY, ROLE_MAY_NOT or ROLE_NOT_MEANT. -1
 * as above.
 */
int role_decide_stored(const struct access_rules *rules, const struct who *who,
		       enum access_verb verb, const struct key *key, struct arena *a,
		       enum role_answer *ret, struct err *err);

/* The first entry that names the sender and lists the verb; NULL: none does. */
const struct access_entry *role_entry(const struct access_rules *rules, const struct who *who,
				      enum access_verb verb);
/* The verbs that some entry lists for the sender, a bit for each: what a page offers. */
unsigned role_verbs(const struct access_rules *rules, const struct who *who);
/* Whether requests without a password are let in, since an entry is for anonymous. */
bool role_lets_anonymous(const struct access_rules *rules);

/*
 * Checks that all names of the rules can exist with this web configuration (NULL: there is none).
 * -1: ERR_CONFIG, which says what to write instead.
 */
int role_check_names(const struct access_rules *rules, const struct web_config *web,
		     struct err *err);

#endif
