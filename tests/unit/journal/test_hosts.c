/* The hosts of a URL, each of which is tried for itself. */
#include <check.h>
#include <stdlib.h>

#include "journal/postgresql/hosts.h"
#include "lib/run.h"

static const struct {
	const char *url;
	size_t n;
	const char *last[3]; /* name, address, port */
	int seconds;
} urls[] = {
	/* One is for libpq, with all that it makes of it. */
	{ "", 1, { NULL }, 0 },
	{ "postgresql://a/d", 1, { NULL }, 0 },
	{ "host=/var/run connect_timeout=1", 1, { NULL }, 2 },
	{ "postgresql://a,b/d?connect_timeout=7", 2, { "b", NULL, "5432" }, 7 },
	{ "postgresql://u:p@a:1,b:2,c:3/d", 3, { "c", NULL, "3" }, 0 },
	{ "postgresql://a:1,b/d", 2, { "b", NULL, "5432" }, 0 },
	{ "postgresql:///d?host=/x,/y&port=7", 2, { "/y", NULL, "7" }, 0 },
	{ "hostaddr=127.0.0.1,127.0.0.2", 2, { NULL, "127.0.0.2", "5432" }, 0 },
	{ "host=a,b hostaddr=::1,::2", 2, { "b", "::2", "5432" }, 0 },
	/* So is what it refuses, or has another meaning for. */
	{ "host=a,b hostaddr=::1", 1, { NULL }, 0 },
	{ "host=a,b port=1,2,3", 1, { NULL }, 0 },
	{ "host=a,,b", 1, { NULL }, 0 },
	{ "host=a,", 1, { NULL }, 0 },
	{ "=", 1, { NULL }, 0 },
};

static void check_text(const char *got, const char *want)
{
	if (want)
		ck_assert_pstr_eq(got, want);
	else
		ck_assert_ptr_null(got);
}

START_TEST(of_a_url)
{
	CLEANUP(hosts_done) struct hosts h = hosts_of(urls[_i].url);
	const struct host *last = &h.list[h.n - 1];

	ck_assert_uint_eq(h.n, urls[_i].n);
	check_text(last->name, urls[_i].last[0]);
	check_text(last->address, urls[_i].last[1]);
	check_text(last->port, urls[_i].last[2]);
	ck_assert_int_eq(h.timeout_ns, urls[_i].seconds * INT64_C(1000000000));
}
END_TEST

int main(void)
{
	static const char *const said_elsewhere[] = { "PGHOST", "PGHOSTADDR", "PGPORT",
						      "PGCONNECT_TIMEOUT" };
	TCase *tc = tcase_create("hosts");

	for (size_t i = 0; i < ARRAY_LEN(said_elsewhere); i++)
		unsetenv(said_elsewhere[i]); /* NOLINT(concurrency-mt-unsafe) */
	tcase_add_loop_test(tc, of_a_url, 0, ARRAY_LEN(urls));
	return run_cases("hosts", tc);
}
