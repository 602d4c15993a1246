/* PUT /api/v1/admin/wipe: deletes all groups. */
#include "api/api.h"
#include "api/endpoints.h"
#include "api/submit.h"
#include "api/v1_reply.h"
#include "base/clock.h"

void api_wipe(struct api_worker *w, struct http_request *req)
{
	const struct key nobody = { 0 };
	struct params none;
	struct str warning;
	struct err err;

	/* A parameter like dry_run=1 shows that its sender does not expect all groups to go. */
	if (v1_params(w, NULL, 0, true, &none, &warning, &err) < 0) {
		v1_reply_error(w, req, &err);
		return;
	}
	submit_push(w, req, push_build(&w->reader.builder, PUSH_WIPE, &nobody, NULL, clock_wall()),
		    clock_mono_ns());
}
