/* Which shard a group is in is fixed for ever: with what another XXH64 has said. */
#include <check.h>

#include "lib/run.h"
#include "metrics/key.h"
#include "metrics/shard.h"

/* XXH64, by another program, of the key's bytes. */
static const struct {
	const char *path;
	uint64_t hash;
	uint32_t of_2, of_3, of_8, of_65536; /* from 0 */
} groups[] = {
	{ "/j", 0xc9e5858c93e623a3, 1, 0, 3, 9123 },
	{ "/job", 0xb7d14f260bf043ab, 1, 2, 3, 17323 },
	{ "/backup/instance/db1", 0xfb4dfccbfe9fce55, 1, 2, 5, 52821 },
	{ "@base64/YS9i/path@base64/L3Zhci90bXA=", 0x39eba17e2f99087d, 1, 0, 5, 2173 },
	{ "/j/instance@base64/=", 0x89c8295ea1111307, 1, 1, 7, 4871 },
	{ "/j/z/1/a/2", 0xdbe8102797d70c6f, 1, 2, 7, 3183 },
	{ "/j/U__caf_e9_/x", 0x6f966795c23f980c, 0, 1, 4, 38924 },
	{ "/größe/κόσμος/值", 0x024d023b2a820310, 0, 1, 0, 784 },
	{ "/nightly-export-of-all-customers/instance/worker-0123456789.eu-central-1.example.org/"
	  "shift/night",
	  0xd3546e3959b87218, 0, 0, 0, 29208 },
	{ "/Job/Instance/A", 0xa03c485134f86a83, 1, 1, 3, 27267 },
};

static const uint32_t counts[] = { 2, 3, 8, 65536 };

START_TEST(the_same_for_ever)
{
	const struct key_limits lim = { 64, 200, 200, true };
	const uint32_t at[] = { groups[_i].of_2, groups[_i].of_3, groups[_i].of_8,
				groups[_i].of_65536 };
	CLEANUP(arena_done) struct arena a;
	CLEANUP(strbuf_done) struct strbuf bytes = { 0 };
	struct key key;
	struct err err;

	arena_init(&a, 1 << 20);
	ck_assert_msg(key_parse(str_of(groups[_i].path), &lim, &a, &key, NULL, &err) == 0, "%s: %s",
		      groups[_i].path, err.msg);
	key_encode(&key, &bytes);
	ck_assert_msg(shard_hash(strbuf_str(&bytes)) == groups[_i].hash, "%s: %016llx",
		      groups[_i].path, (unsigned long long)shard_hash(strbuf_str(&bytes)));
	for (size_t k = 0; k < ARRAY_LEN(counts); k++)
		for (uint32_t i = 0; i < counts[k]; i++)
			ck_assert_msg(shard_has((struct shard){ i, counts[k] }, groups[_i].hash) ==
					      (i == at[k]),
				      "%s: %u of %u", groups[_i].path, i, counts[k]);
}
END_TEST

START_TEST(without_shards_all)
{
	ck_assert(shard_has((struct shard){ 0 }, 0));
	ck_assert(shard_has((struct shard){ 0 }, UINT64_MAX));
	ck_assert(shard_has((struct shard){ 0, 1 }, UINT64_MAX));
}
END_TEST

static const struct {
	const char *text;
	uint32_t at, n; /* n 0: refused */
	const char *says;
} texts[] = {
	{ "1/1", 0, 1, NULL },
	{ "2/8", 1, 8, NULL },
	{ "65536/65536", 65535, 65536, NULL },
	{ "", 0, 0, "write shard=1/8" },
	{ "1", 0, 0, "write shard=1/8" },
	{ "/", 0, 0, "write shard=1/8" },
	{ "1/", 0, 0, "write shard=1/8" },
	{ "/8", 0, 0, "write shard=1/8" },
	{ "0/8", 0, 0, "write shard=1/8" },
	{ "1/0", 0, 0, "write shard=1/8" },
	{ "-1/8", 0, 0, "write shard=1/8" },
	{ "+1/8", 0, 0, "write shard=1/8" },
	{ "01/8", 0, 0, "write shard=1/8" },
	{ " 1/8", 0, 0, "write shard=1/8" },
	{ "1/8/9", 0, 0, "write shard=1/8" },
	{ "1.0/8", 0, 0, "write shard=1/8" },
	{ "a/b", 0, 0, "write shard=1/8" },
	{ "1/65537", 0, 0, "65536 shards are the most" },
	{ "1/4294967297", 0, 0, "65536 shards are the most" },
	{ "9/8", 0, 0, "the last of 8 shards is shard=8/8" },
};

START_TEST(as_it_is_written)
{
	struct shard got = { 7, 7 };
	struct err err;
	int r = shard_parse(str_of(texts[_i].text), &got, &err);

	if (texts[_i].n > 0) {
		ck_assert_msg(r == 0 && got.at == texts[_i].at && got.n == texts[_i].n, "%s",
			      texts[_i].text);
		return;
	}
	ck_assert_msg(r == -1 && err.reason == ERR_INVALID && strstr(err.msg, texts[_i].says),
		      "%s: %s", texts[_i].text, r ? err.msg : "taken");
	ck_assert_msg(got.n == 7, "%s", texts[_i].text);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("shard");

	tcase_add_loop_test(tc, the_same_for_ever, 0, ARRAY_LEN(groups));
	tcase_add_test(tc, without_shards_all);
	tcase_add_loop_test(tc, as_it_is_written, 0, ARRAY_LEN(texts));
	return run_cases("shard", tc);
}
