/*
 * Who sends requests, where there are users: two, one of whom gets another password at times, as
 * --web.config.file is written anew. Nobody is let in without the right one. The file is on the
 * simulated disk, and is always whole, as that of the rules is.
 */
#ifndef TESTS_SIM_LOGINS_H
#define TESTS_SIM_LOGINS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "sim/disk.h"

#define LOGINS_FILE "/simulated/web.yml"

/* What a request says; LOGIN_ANY: it has not been decided. */
enum sim_login {
	LOGIN_ANY,
	LOGIN_ADMIN, /* may do everything, and keeps the password */
	LOGIN_ZERO,  /* the other user, by the passwords of the versions of the file, */
	LOGIN_ONE,
	LOGIN_TWO,
	LOGIN_WRONG,   /* the first one's name with a wrong password, */
	LOGIN_UNKNOWN, /* a name that there is not with a right password, */
	LOGIN_NONE,    /* and nothing */
	N_LOGINS,
};

/*
 * A request waits for a second for a look at the file. If time passes meanwhile, later ones do not
 * wait for ten.
 */
#define LOGINS_WAIT_NS INT64_C(1000000000)
#define LOGINS_IMPATIENT_NS INT64_C(11000000000)

struct sim_logins {
	bool on;
	unsigned file;      /* the version of the file, */
	int64_t changed_ns; /* since then, monotonic, */
	int64_t patient_ns; /* requests wait for a look from then on, */
	uint64_t failed;    /* and how many faults the disk had had */
};

enum sim_login logins_random(uint64_t *rng);
void logins_write(const struct sim_logins *l, struct disk *d);
/* Whether the gateway lets them in by that version. */
bool logins_are_right(enum sim_login login, unsigned version);
/* Appends the request with its login. */
void logins_add(enum sim_login login, struct str request, struct strbuf *out);

#endif
