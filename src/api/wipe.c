/* PUT /api/v1/admin/wipe: deletes all groups. */
#include "api/api.h"
#include "api/endpoints.h"
#include "api/submit.h"
#include "base/clock.h"

void api_wipe(struct api_worker *w, struct http_request *req)
{
	const struct key nobody = { 0 };

	submit_push(w, req, push_build(&w->reader.builder, PUSH_WIPE, &nobody, NULL, clock_wall()),
		    clock_mono_ns());
}
