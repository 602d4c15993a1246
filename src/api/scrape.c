/* GET /metrics: what is stored, by reference, with our own metrics merged in by name. */
#include <stdlib.h>

#include "api/api.h"
#include "api/own.h"

static void unref(void *bytes)
{
	bytes_unref(bytes);
}

/* The reply takes over the snapshot's reference. */
static void send_bytes(struct http_request *req, struct bytes **b)
{
	http_reply_ref(req, bytes_str(*b), unref, *b);
	*b = NULL;
}

static void send_family(struct http_request *req, struct snapshot *snap, struct snapshot_family *f,
			bool with_header)
{
	if (with_header)
		send_bytes(req, &f->header);
	for (size_t i = 0; i < f->n; i++)
		send_bytes(req, &snap->pages[f->first + i]);
}

void api_scrape(struct api_worker *w, struct http_request *req)
{
	struct snapshot *snap = store_snapshot(w->api->store);
	struct own_metrics own;
	size_t i = 0;

	own_collect(&own, w->api);
	for (size_t k = 0; k < own.n; k++) {
		struct own_family *o = &own.families[k];
		int r = -1;

		for (; i < snap->n_families; i++) {
			r = str_cmp(snap->families[i].name, o->name);
			if (r >= 0)
				break;
			send_family(req, snap, &snap->families[i], true);
		}
		http_reply_add(req, own_text(&own, o));
		/* Somebody pushed to the same name: one family, under our header. */
		if (i < snap->n_families && r == 0)
			send_family(req, snap, &snap->families[i++], false);
	}
	for (; i < snap->n_families; i++)
		send_family(req, snap, &snap->families[i], true);
	own_done(&own);
	snapshot_free(snap);
	http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
}
