#include <check.h>

#include "config/cidr.h"
#include "lib/run.h"

static const struct {
	const char *list, *inside, *outside;
} lists[] = {
	{ "10.0.0.0/8", "10.255.0.1", "11.0.0.1" },
	{ "192.0.2.7", "192.0.2.7", "192.0.2.8" },
	{ "192.0.2.0/25", "192.0.2.127", "192.0.2.128" },
	{ "192.0.2.7/32", "192.0.2.7", "192.0.2.6" },
	{ "0.0.0.0/0", "203.0.113.9", "2001:db8::1" },
	{ "fd00::/8", "fdff::1", "fe80::1" },
	{ "2001:db8::1", "2001:db8::1", "2001:db8::2" },
	{ "2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::" },
	/* An IPv4 peer of a socket for both has its address in IPv6's form. */
	{ "192.0.2.0/24", "::ffff:192.0.2.1", "::ffff:192.0.3.1" },
	{ "::/0", "192.0.2.1", "no address" },
	{ "unix", "@", "127.0.0.1" },
	{ "10.0.0.0/8, unix ,192.0.2.0/24", "192.0.2.1", "192.0.3.1" },
	{ "127.0.0.1", "127.0.0.1", "@" },
	{ "127.0.0.1", "127.0.0.1", "" },
};

START_TEST(in_and_out)
{
	struct cidr_list list;
	struct err err;

	ck_assert_int_eq(cidr_list_parse(str_of(lists[_i].list), &list, &err), 0);
	ck_assert_msg(cidr_list_has(&list, str_of(lists[_i].inside)), "%s has %s", lists[_i].list,
		      lists[_i].inside);
	ck_assert_msg(!cidr_list_has(&list, str_of(lists[_i].outside)), "%s has %s", lists[_i].list,
		      lists[_i].outside);
	cidr_list_done(&list);
}
END_TEST

START_TEST(an_empty_list_has_nobody)
{
	struct cidr_list list;
	struct err err;

	ck_assert_int_eq(cidr_list_parse(STR(""), &list, &err), 0);
	ck_assert(!cidr_list_has(&list, STR("127.0.0.1")));
	ck_assert(!cidr_list_has(&list, STR("@")));
	cidr_list_done(&list);
}
END_TEST

static const char *const refused[] = {
	"proxy.example", "10.0.0.0/33",  "10.0.0.0/", "10.0.0/8",    "fd00::/129", "/8",
	"10.0.0.0/-1",   "10.0.0.0/8 ;", ",",         "127.0.0.1,,", "[::1]",      "127.0.0.1:80",
};

START_TEST(what_is_no_network)
{
	struct cidr_list list;
	struct err err;

	ck_assert_int_eq(cidr_list_parse(str_of(refused[_i]), &list, &err), -1);
	ck_assert_int_eq(err.reason, ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.msg, "10.0.0.0/8"));
}
END_TEST

static const struct {
	const char *peer, *host;
} peers[] = {
	{ "192.0.2.1:80", "192.0.2.1" },
	{ "192.0.2.1", "192.0.2.1" },
	{ "[2001:db8::1]:80", "2001:db8::1" },
	{ "[2001:db8::1]", "2001:db8::1" },
	{ "2001:db8::1", "2001:db8::1" },
	{ "@", "@" },
	{ "", "" },
	{ "[::1", "[::1" },
};

START_TEST(hosts)
{
	ck_assert(str_eq(cidr_host_of(str_of(peers[_i].peer)), str_of(peers[_i].host)));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("cidr");

	tcase_add_loop_test(tc, in_and_out, 0, ARRAY_LEN(lists));
	tcase_add_test(tc, an_empty_list_has_nobody);
	tcase_add_loop_test(tc, what_is_no_network, 0, ARRAY_LEN(refused));
	tcase_add_loop_test(tc, hosts, 0, ARRAY_LEN(peers));
	return run_cases("cidr", tc);
}
