#include "api/warnings.h"

#include "api/refusals.h"
#include "metrics/key.h"

static const struct {
	unsigned bit;
	const char *name;
	enum push_oddity counted; /* N_PUSH_ODDITIES: the store counts it */
	const char *why;
} warnings[] = {
	{ PUSH_RESET_ASSUMED, "reset-assumed", ODD_RESET,
	  "a counter fell, and the push does not say when its process started: taken for a new "
	  "process. Push process_start_time_seconds, a label like pid, or __start__" },
	{ PUSH_INHERITED_COUNTS, "inherited-counts", ODD_INHERITED,
	  "the first push of a process has counts that are older than it: inherited from the "
	  "process that it was forked from, they count twice. Clear the registry after the fork" },
	{ PUSH_ADD_REPEATED, "add-repeated", ODD_REPEATED,
	  "a process has added twice: if it pushes all that it has counted each time, it should "
	  "push to /sum" },
	{ PUSH_WRITERS_CONFLICT, "writers-conflict", N_PUSH_ODDITIES,
	  "another address pushes to the same group in turn, and each replaces what the other "
	  "said. "
	  "Put what tells them apart into the path, as /instance/NAME, or push to /sum" },
	{ PUSH_NAMES, "lint", N_PUSH_ODDITIES,
	  "names of metrics or labels break Prometheus's rules: /api/v1/lint shows which, and so "
	  "does tallygate check-metrics" },
};

void warnings_say(struct api_worker *w, struct http_request *req, const struct push *push)
{
	CLEANUP(strbuf_done) struct strbuf names = { 0 };

	if (push->warnings == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(warnings); i++) {
		if (!(push->warnings & warnings[i].bit))
			continue;
		strbuf_addf(&names, "%s%s", names.n ? ", " : "", warnings[i].name);
		if (push->dry_run)
			continue;
		if (warnings[i].counted < N_PUSH_ODDITIES)
			job_counts_add(&w->api->counters.oddities[warnings[i].counted],
				       key_value(push->key, STR("job")));
		refusals_warning(w, req, warnings[i].name, push->labels, warnings[i].why);
	}
	http_reply_header(req, "X-Pushgateway-Warning", strbuf_z(&names));
}
