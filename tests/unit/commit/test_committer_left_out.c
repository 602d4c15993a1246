/*
 * Families that are left out, since they contradict others (lib/contradictions.h): the committer
 * shows them again when what was in their way has gone, so that a restart shows nothing more.
 */
#include "journal/compare.h"
#include "lib/contradictions.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "unit/commit/committer_world.h"

enum { PUSHES = 30, LIVES = 6, OPS = 4 };

static const struct store_limits limits = { 1000, 100000 };

static void begin(struct world *w)
{
	struct err err = { 0 };

	queue_init(&w->queue, 10000, 100 << 20);
	w->store = store_new(&limits);
	ck_assert_msg(load_store(&w->rows.base, w->store, &err) == STORAGE_LOADED, "%s", err.msg);
	store_begin_waiting(w->store, clock_mono_ns(), 0, 0);
	w->committer = committer_start(&w->queue, w->store, &w->rows.base, batch_done, &err);
	ck_assert_ptr_nonnull(w->committer);
}

static void end(struct world *w)
{
	committer_stop(w->committer);
	queue_done(&w->queue);
	store_free(w->store);
}

/* What is stored, and what of it is shown, is the same in the next life. */
static void restart(struct world *w)
{
	struct store *before;
	struct err err = { 0 };

	committer_stop(w->committer);
	queue_done(&w->queue);
	before = w->store;
	begin(w);
	committer_stop(w->committer);
	queue_done(&w->queue);
	ck_assert_msg(compare_stores(before, w->store, &err), "%s", err.msg);
	store_free(before);
	store_free(w->store);
	begin(w);
}

static void push_some(struct world *w, uint64_t *rng)
{
	for (int i = 0; i < OPS; i++) {
		struct contradicting_push p;

		contradicting_push(rng, rng_below(rng, CONTRADICTING_GROUPS), &p);
		push(w, p.mode, p.path, strbuf_z(&p.body));
		strbuf_done(&p.body);
	}
}

START_TEST(a_restart_shows_nothing_more)
{
	enum { HISTORIES = 20 };
	uint64_t shown_again = 0;

	log_init(LOG_ERROR + 1, LOG_LOGFMT);
	for (int i = 0; i < HISTORIES; i++) {
		uint64_t rng = (uint64_t)_i * 1000 + (uint64_t)i, before;
		struct world w = { .committer = NULL };

		contradictions_write(&w.rows, &rng, PUSHES);
		begin(&w);
		for (int life = 0; life < LIVES; life++) {
			before = store_counts(w.store).left_out;
			push_some(&w, &rng);
			restart(&w);
			shown_again += before > store_counts(w.store).left_out;
		}
		end(&w);
		mem_storage_done(&w.rows);
	}
	ck_assert_uint_gt(shown_again, 0);
}
END_TEST

static void check_shown(struct world *w, const char *line, uint64_t left_out)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	restart(w);
	exposed_add(w->store, &text);
	ck_assert_msg(strstr(strbuf_z(&text), line), "%s is not in\n%s", line, strbuf_z(&text));
	ck_assert_uint_eq(store_counts(w->store).left_out, left_out);
}

/* When both of what is in its way have gone, with the time of its push, and the group's time stays.
 */
START_TEST(when_nothing_is_in_its_way)
{
	struct world w = { .committer = NULL };

	log_init(LOG_ERROR + 1, LOG_LOGFMT);
	mem_storage_init(&w.rows);
	contradictions_add(&w.rows, "/j", "# TYPE a counter\na 1\nb 1\n", 1);
	contradictions_add(&w.rows, "/k", "# TYPE a gauge\na 2\n", 2);
	contradictions_add(&w.rows, "/l", "# TYPE a gauge\na 3\n", 3);
	begin(&w);
	check_shown(&w, "a{instance=\"\",job=\"k\"} 2", 1);
	ck_assert_int_eq(push(&w, PUSH_DELETE, "/l", ""), ERR_NONE);
	check_shown(&w, "a{instance=\"\",job=\"k\"} 2", 1);
	ck_assert_int_eq(push(&w, PUSH_POST, "/k", "# TYPE a counter\na 4\n"), ERR_NONE);
	check_shown(&w, "a{instance=\"\",job=\"j\"} 1", 0);
	check_shown(&w, "push_time_seconds{instance=\"\",job=\"j\"} 1\n", 0);
	end(&w);
	mem_storage_done(&w.rows);
}
END_TEST

/* Of two groups of which the second one is shown. */
static void write_clash(struct world *w)
{
	log_init(LOG_ERROR + 1, LOG_LOGFMT);
	mem_storage_init(&w->rows);
	contradictions_add(&w->rows, "/j", "{\"x.y\"} 1\n", 1);
	contradictions_add(&w->rows, "/k", "x_y 1\n", 2);
}

/* While nothing can be written, it stays left out, and is shown as soon as it can. */
START_TEST(after_a_failure)
{
	struct world w = { .committer = NULL };

	write_clash(&w);
	w.rows.refuse = true;
	begin(&w);
	ck_assert_int_eq(push(&w, PUSH_DELETE, "/k", ""), ERR_STORAGE);
	ck_assert_uint_eq(store_counts(w.store).left_out, 1);
	w.rows.refuse = false;
	ck_assert_int_eq(push(&w, PUSH_DELETE, "/k", ""), ERR_NONE);
	check_shown(&w, "x_y{instance=\"\",job=\"j\"} 1", 0);
	end(&w);
	mem_storage_done(&w.rows);
}
END_TEST

/* What was in its way has gone before it could be noted that it is left out. */
START_TEST(settled_late)
{
	struct world w = { .committer = NULL };

	write_clash(&w);
	w.rows.too_long = 3;
	begin(&w);
	ck_assert_int_eq(push(&w, PUSH_DELETE, "/k", ""), ERR_NONE);
	ck_assert_uint_eq(store_counts(w.store).left_out, 1);
	w.rows.too_long = 0;
	while (store_counts(w.store).left_out > 0)
		push(&w, PUSH_PUT, "/z", "zz 1\n");
	check_shown(&w, "x_y{instance=\"\",job=\"j\"} 1", 0);
	end(&w);
	mem_storage_done(&w.rows);
}
END_TEST

static atomic_bool doubted, failed_once;
static atomic_uint committed_in_doubt;
static const struct storage_ops *mem_ops;

static enum storage_commit_result commit_with_doubt(struct storage *st, const struct rows *rows,
						    struct err *err)
{
	if (rows->n > 0 && rows->list[0].kind == ROW_LEFT_OUT && !failed_once) {
		doubted = failed_once = true;
		err_set(err, ERR_STORAGE, 0, "the disk has failed to sync it");
		return STORAGE_UNKNOWN;
	}
	committed_in_doubt += doubted;
	return mem_ops->commit(st, rows, err);
}

static enum storage_health look_at_doubt(struct storage *st, struct err *err)
{
	(void)st;
	(void)err;
	doubted = false;
	return STORAGE_WELL;
}

/* After it could not be noted, the database is looked at before anything else is committed. */
START_TEST(after_a_failed_sync)
{
	struct world w = { .committer = NULL };

	write_clash(&w);
	mem_ops = w.rows.base.ops;
	w.ops = *mem_ops;
	w.ops.commit = commit_with_doubt;
	w.ops.health = look_at_doubt;
	w.rows.base.ops = &w.ops;
	begin(&w);
	ck_assert_int_eq(push(&w, PUSH_PUT, "/z", "zz 1\n"), ERR_NONE);
	end(&w);
	mem_storage_done(&w.rows);
	ck_assert(failed_once);
	ck_assert_uint_eq(committed_in_doubt, 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("committer_left_out");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_restart_shows_nothing_more, 0, 8);
	tcase_add_test(tc, when_nothing_is_in_its_way);
	tcase_add_test(tc, after_a_failure);
	tcase_add_test(tc, settled_late);
	tcase_add_test(tc, after_a_failed_sync);
	return run_cases("committer_left_out", tc);
}
