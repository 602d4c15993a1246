/* Reads requests to delete many groups: which groups, and how. */
#include "api/error_status.h"
#include "api/groups_delete_job.h"
#include "api/undo.h"
#include "api/v1_reply.h"
#include "codec/decompress.h"
#include "config/config.h"

static const char *const known[] = { GROUP_FILTER_PARAMS, "family", "dry_run", "expect" };

/* A misspelt name, as in {instnace=""}, would match every group. */
static int check_selectors(const struct group_filter *f, struct err *err)
{
	if (f->n_selectors == 0)
		return err_set(err, ERR_INVALID, 0,
			       "match[] says which groups: match[]={job=\"x\"}; for all there is "
			       "/api/v1/admin/wipe");
	for (size_t i = 0; i < f->n_selectors; i++) {
		char quoted[128];

		if (selector_matches_empty(f->selectors[i]))
			return err_set(
				err, ERR_INVALID, 0,
				"match[]=%s: at least one matcher must not match the empty "
				"string, since a label that is not there counts as empty",
				str_quote(selector_text(f->selectors[i]), quoted, sizeof(quoted)));
	}
	return 0;
}

/* Reads the parameters that both kinds of requests have, beside which groups. */
static int read_how(struct groups_delete *d, const struct params *p, struct err *err)
{
	struct str family;
	int expect;

	if (params_flag(p, "dry_run", &d->removal.dry_run, err) < 0)
		return -1;
	expect = params_count(p, "expect", 0, INT64_MAX, &d->removal.expect, err);
	if (expect < 0)
		return -1;
	d->removal.has_expect = expect > 0;
	family = params_get(p, "family");
	if (family.p && family.n == 0)
		return err_set(err, ERR_INVALID, 0, "family has to be the name of a metric");
	if (family.p)
		strbuf_adds(&d->family, family);
	d->removal.family = strbuf_str(&d->family);
	d->removal.can_undo = !d->removal.dry_run;
	undo_new_id(d->removal.id);
	return 0;
}

int groups_delete_read(struct groups_delete *d, struct err *err)
{
	struct params p;
	struct str warning;

	if (v1_params(d->worker, known, ARRAY_LEN(known), true, &p, &warning, err) < 0 ||
	    group_filter_parse(&p, NULL, &d->filter, err) < 0 ||
	    check_selectors(&d->filter, err) < 0)
		return -1;
	return read_how(d, &p, err);
}

int groups_delete_read_listed(struct groups_delete *d, struct err *err)
{
	static const char *const how[] = { "family", "dry_run", "expect" };
	struct params p;
	struct str warning;

	d->unread = true;
	if (v1_params(d->worker, how, ARRAY_LEN(how), true, &p, &warning, err) < 0)
		return -1;
	return read_how(d, &p, err);
}

/* Undoes the Content-Encoding of the body. -1: d->err. */
static int begin_list(struct groups_delete *d)
{
	enum content_coding coding = content_coding_of(
		http_request_header(d->req, "Content-Encoding"));

	struct str body = http_request_body(d->req);

	d->begun = true;
	if (coding != BODY_IDENTITY) {
		if (decompress(coding, body, d->worker->api->config->body_size, &d->plain,
			       &d->err) < 0)
			return -1;
		body = d->plain.n ? strbuf_str(&d->plain) : STR("");
	}
	group_keys_begin(&d->keys, body);
	return 0;
}

int groups_delete_read_list(struct groups_delete *d)
{
	/* Groups are deleted whatever limits hold for new ones. */
	const struct group_keys_limits lim = {
		.key = { UINT32_MAX, UINT32_MAX, UINT32_MAX, true },
		.line = d->worker->api->config->web_max_header_size,
	};
	int r = d->begun ? 0 : begin_list(d);

	if (r == 0)
		r = group_keys_read(&d->keys, &lim, caller_of(d->req), &d->arena, &d->err);
	if (r < 0)
		error_is_want_of_memory(&d->arena, &d->err);
	if (r != 0)
		strbuf_done(&d->plain);
	return r;
}
