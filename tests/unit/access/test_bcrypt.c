#include <check.h>
#include <stdlib.h>

#include "access/bcrypt.h"
#include "base/cleanup.h"
#include "lib/run.h"

#define SALT "QOauhQNbBCuQDKes6eFzPe"
/* Of "secret", at cost 4. */
#define DIGEST "Vj0cCigtIZ1NEwIggIAOiVqcS6cpIjG"
#define LETTERS72 "123456789012345678901234567890123456789012345678901234567890123456789012"
#define OF_LETTERS72 "$2b$04$" SALT "mZYtPQ/NovRjGrvWQ2dZzUmGKBjgWQq"

static const struct {
	const char *name, *hash;
	struct str password;
	bool ok;
} verify_rows[] = {
	{ "2b", "$2b$04$" SALT DIGEST, { "secret", 6 }, true },
	{ "2a", "$2a$04$" SALT DIGEST, { "secret", 6 }, true },
	{ "2y", "$2y$04$" SALT DIGEST, { "secret", 6 }, true },
	{ "wrong", "$2b$04$" SALT DIGEST, { "Secret", 6 }, false },
	{ "longer", "$2b$04$" SALT DIGEST, { "secrets", 7 }, false },
	{ "empty", "$2b$04$" SALT DIGEST, { "", 0 }, false },
	{ "cut by a NUL", "$2b$04$" SALT DIGEST, { "secret\0x", 8 }, false },
	{ "ends in a NUL", "$2b$04$" SALT DIGEST, { "secret\0", 7 }, false },
	{ "another cost", "$2b$05$" SALT DIGEST, { "secret", 6 }, false },
	{ "another salt", "$2b$04$ROauhQNbBCuQDKes6eFzPe" DIGEST, { "secret", 6 }, false },
	{ "bits of the salt that do not count",
	  "$2b$04$QOauhQNbBCuQDKes6eFzPf" DIGEST,
	  { "secret", 6 },
	  true },
	{ "UTF-8", "$2a$04$" SALT "0xiBYqM4r1Mz16lpCgI04RIDS0k35Ru", { "p\xC3\xA9", 3 }, true },
	/* One of those that libcrypt's own $2a$ hashes otherwise. */
	{ "not UTF-8",
	  "$2a$04$" SALT "pf39qjNST6a2x/OcB7Py4ZQjGifdJXK",
	  { "\xFF\xFF\xA3", 3 },
	  true },
	{ "no password", "$2y$04$" SALT "Glq1r0MjCmweISTqVAzqYdnAg5QnkKS", { "", 0 }, true },
	{ "72 bytes", OF_LETTERS72, { LETTERS72, 72 }, true },
	{ "71 bytes", OF_LETTERS72, { LETTERS72, 71 }, false },
	{ "what comes after them does not count", OF_LETTERS72, { LETTERS72 "x", 73 }, true },
};

START_TEST(verify_row)
{
	struct bcrypt *b = bcrypt_new();

	ck_assert_msg(bcrypt_verify(b, verify_rows[_i].hash, verify_rows[_i].password) ==
			      verify_rows[_i].ok,
		      "%s", verify_rows[_i].name);
	bcrypt_free(b);
}
END_TEST

#define SHORT "crypto/bcrypt: hashedSecret too short to be a bcrypted password"
#define BEGINS "crypto/bcrypt: a hash begins with $2a$, $2b$ or $2y$, but hashedSecret with "

static const struct {
	const char *hash, *message; /* NULL: it is fine */
} check_rows[] = {
	{ "$2a$04$" SALT DIGEST, NULL },
	{ "$2b$10$" SALT DIGEST, NULL },
	{ "$2y$17$" SALT DIGEST, NULL },
	{ "$2y$18$" SALT DIGEST,
	  "crypto/bcrypt: cost 18 is above 17: one check would take more than ten seconds" },
	{ "$2y$31$" SALT DIGEST,
	  "crypto/bcrypt: cost 31 is above 17: one check would take more than ten seconds" },
	{ "", SHORT },
	{ "doe", SHORT },
	{ "$2b$04$" SALT "Vj0cCigtIZ1NEwIggIAOiVqcS6cpI", SHORT },
	{ "$2b$04$" SALT "Vj0cCigtIZ1NEwIggIAOiVqcS6cpIj",
	  "crypto/bcrypt: hashedSecret is not a bcrypted password" },
	{ "$2b$04$" SALT DIGEST "x", "crypto/bcrypt: hashedSecret is not a bcrypted password" },
	{ "x2b$04$" SALT DIGEST, BEGINS "\"x2b$\"" },
	{ "$3b$04$" SALT DIGEST, BEGINS "\"$3b$\"" },
	{ "$2x$04$" SALT DIGEST, BEGINS "\"$2x$\"" },
	{ "$2$04$" SALT DIGEST "x", BEGINS "\"$2$0\"" },
	{ "$2bx04$" SALT DIGEST, BEGINS "\"$2bx\"" },
	{ "$2b$03$" SALT DIGEST, "crypto/bcrypt: cost 3 is outside allowed inclusive range 4..31" },
	{ "$2b$32$" SALT DIGEST,
	  "crypto/bcrypt: cost 32 is outside allowed inclusive range 4..31" },
	{ "$2b$x4$" SALT DIGEST, "crypto/bcrypt: cost \"x4\" is not a number" },
	{ "$2b$04x" SALT DIGEST, "crypto/bcrypt: hashedSecret is not a bcrypted password" },
	{ "$2b$04$*OauhQNbBCuQDKes6eFzPe" DIGEST,
	  "crypto/bcrypt: illegal character in hashedSecret" },
	{ "$2b$04$" SALT "Vj0cCigtIZ1NEwIggIAOiVqcS6cpIj+",
	  "crypto/bcrypt: illegal character in hashedSecret" },
};

START_TEST(check_row)
{
	struct err err = { 0 };
	int r = bcrypt_check_hash(str_of(check_rows[_i].hash), &err);

	ck_assert_int_eq(r, check_rows[_i].message ? -1 : 0);
	ck_assert_str_eq(err.msg, check_rows[_i].message ? check_rows[_i].message : "");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("bcrypt");

	tcase_add_loop_test(tc, verify_row, 0, (int)ARRAY_LEN(verify_rows));
	tcase_add_loop_test(tc, check_row, 0, (int)ARRAY_LEN(check_rows));
	return run_cases("bcrypt", tc);
}
