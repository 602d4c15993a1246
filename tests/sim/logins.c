#include "sim/logins.h"

#include <string.h>

#include "access/users.h"
#include "api/admission.h"
#include "base/clock.h"
#include "lib/rng.h"
#include "sim/world.h"

enum { VERSIONS = 3 };

/* Of the passwords "right", and "zero", "one" and "two"; the lowest cost. */
static const char admin_hash[] = "$2b$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC";
static const char *const hashes[VERSIONS] = {
	"$2b$04$zbcdefghijklmnopqrstuuBg0xA7KE20gItIXPCUD0T9pqsrWulBW",
	"$2b$04$ybcdefghijklmnopqrstuuVnYc7C14MT5pTvr79GGXL.TtksdYvDS",
	"$2b$04$xbcdefghijklmnopqrstuuh3wbswCa0MIH80IrjNFTioRHKjOqJHG",
};

enum sim_login logins_random(uint64_t *rng)
{
	if (rng_one_in(rng, 2))
		return LOGIN_ADMIN;
	return (enum sim_login)(LOGIN_ZERO + rng_below(rng, N_LOGINS - LOGIN_ZERO));
}

void logins_write(const struct sim_logins *l, struct disk *d)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	strbuf_addf(&text, "basic_auth_users:\n  admin: %s\n  user: %s\n", admin_hash,
		    hashes[l->file]);
	disk_put_file(d, LOGINS_FILE, strbuf_str(&text));
}

bool logins_are_right(enum sim_login login, unsigned version)
{
	return login == LOGIN_ADMIN || login == LOGIN_ZERO + version;
}

void logins_add(enum sim_login login, struct str request, struct strbuf *out)
{
	static const char *const headers[N_LOGINS] = {
		[LOGIN_ADMIN] = "YWRtaW46cmlnaHQ=", [LOGIN_ZERO] = "dXNlcjp6ZXJv",
		[LOGIN_ONE] = "dXNlcjpvbmU=",       [LOGIN_TWO] = "dXNlcjp0d28=",
		[LOGIN_WRONG] = "YWRtaW46d3Jvbmc=", [LOGIN_UNKNOWN] = "bm9ib2R5OnJpZ2h0",
	};
	const char *end = memmem(request.p, request.n, "\r\n", 2);
	size_t line = (size_t)(end + 2 - request.p);

	strbuf_add(out, request.p, line);
	if (headers[login])
		strbuf_addf(out, "Authorization: Basic %s\r\n", headers[login]);
	strbuf_add(out, request.p + line, request.n - line);
}

/* ---- what the linker puts around src/ ---- */

static struct sim_request *at_the_door; /* whose head is looked at */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
void __real_admission_pass(struct admission *a, struct api_worker *w, struct http_request *req,
			   admitted_fn next);
enum web_login __real_web_users_check(struct web_users *u, const struct web_pairs *users,
				      struct str authorization, struct web_check *check);
bool __real_bcrypt_verify(struct bcrypt *b, const char hash[BCRYPT_HASH], struct str password);
void __wrap_admission_pass(struct admission *a, struct api_worker *w, struct http_request *req,
			   admitted_fn next);
enum web_login __wrap_web_users_check(struct web_users *u, const struct web_pairs *users,
				      struct str authorization, struct web_check *check);
bool __wrap_bcrypt_verify(struct bcrypt *b, const char hash[BCRYPT_HASH], struct str password);

void __wrap_admission_pass(struct admission *a, struct api_worker *w, struct http_request *req,
			   admitted_fn next)
{
	at_the_door = world_request_of(req);
	__real_admission_pass(a, w, req, next);
	at_the_door = NULL;
}

static unsigned version_of(const struct web_pairs *users)
{
	for (unsigned v = 0; users->n == 2 && v < VERSIONS; v++)
		if (strcmp(users->v[1].value, hashes[v]) == 0)
			return v;
	world_fails(world, "users are not those of any file");
	return 0;
}

/* A change is in force at once, if the disk can be read and no time has passed meanwhile. */
static bool is_outdated(const struct sim_logins *l, unsigned version)
{
	return version != l->file && clock_mono_ns() - l->changed_ns > LOGINS_WAIT_NS &&
	       clock_mono_ns() >= l->patient_ns && l->failed == world->disk->failed &&
	       !world->disk->dead;
}

enum web_login __wrap_web_users_check(struct web_users *u, const struct web_pairs *users,
				      struct str authorization, struct web_check *check)
{
	unsigned version = version_of(users);

	if (is_outdated(&world->logins, version))
		world_fails(world, "passwords of an older file are in force");
	if (at_the_door)
		at_the_door->let_in = logins_are_right(at_the_door->login, version);
	return __real_web_users_check(u, users, authorization, check);
}

/* Each hash is computed once, since even the cheapest costs as much as a history. */
bool __wrap_bcrypt_verify(struct bcrypt *b, const char hash[BCRYPT_HASH], struct str password)
{
	enum { KNOWN = 64 };
	static struct {
		char hash[BCRYPT_HASH], password[BCRYPT_PASSWORD];
		size_t n;
		bool same;
	} known[KNOWN];
	static unsigned n_known;
	unsigned i = 0;

	while (i < n_known && !(memcmp(known[i].hash, hash, BCRYPT_HASH) == 0 &&
				str_eq((struct str){ known[i].password, known[i].n }, password)))
		i++;
	if (i < n_known)
		return known[i].same;
	if (n_known == KNOWN || password.n > BCRYPT_PASSWORD)
		return __real_bcrypt_verify(b, hash, password);
	memcpy(known[i].hash, hash, BCRYPT_HASH);
	memcpy(known[i].password, password.p, password.n);
	known[i].n = password.n;
	known[i].same = __real_bcrypt_verify(b, hash, password);
	n_known++;
	return known[i].same;
}

/* NOLINTEND(bugprone-reserved-identifier) */
