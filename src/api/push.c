/* PUT, POST and DELETE of a group. */
#include "api/api.h"
#include "api/endpoints.h"
#include "api/submit.h"
#include "base/clock.h"
#include "codec/decompress.h"
#include "config/config.h"
#include "format/content_type.h"
#include "format/openmetrics/parse.h"
#include "format/protobuf/decode.h"
#include "format/text/mistakes.h"
#include "format/text/parse.h"

static enum push_mode mode_of(enum http_method method)
{
	return method == HTTP_PUT ? PUSH_PUT : method == HTTP_POST ? PUSH_POST : PUSH_DELETE;
}

/*
 * What calls itself OpenMetrics and is no such thing may still be text 0.0.4, as which the Go
 * gateway reads all of it. If it is neither, it is refused as what it says it is.
 */
static int decode_text(struct api_worker *w, bool openmetrics, struct str body,
		       const struct decode_limits *lim, struct family **ret_families,
		       struct err *err)
{
	struct err as_text;

	if (openmetrics) {
		if (openmetrics_parse(body, lim, &w->arena, ret_families, err) == 0)
			return 0;
		if (err->reason == ERR_INVALID &&
		    text_parse(body, lim, &w->arena, ret_families, &as_text) == 0)
			return 0;
	} else if (text_parse(body, lim, &w->arena, ret_families, err) == 0) {
		return 0;
	}
	if (err->reason == ERR_INVALID)
		text_name_mistake(err, body);
	return -1;
}

/* What is in the families may point into the body or, when that is compressed, into *plain. */
static int decode(struct api_worker *w, const struct http_request *req, struct strbuf *plain,
		  struct family **ret_families, struct err *err)
{
	const struct config *c = w->api->config;
	const struct decode_limits lim = {
		.max_labels = (uint32_t)c->labels_per_series,
		.max_label_name = (uint32_t)c->label_name_length,
		.max_label_value = (uint32_t)c->label_value_length,
		.utf8_names = c->push_enable_utf8_names,
		.max_series = c->series_per_push,
	};
	enum content_coding coding = content_coding_of(
		http_request_header(req, "Content-Encoding"));
	struct str body = http_request_body(req);

	if (coding != BODY_IDENTITY) {
		if (decompress(coding, body, c->body_size, plain, err) < 0)
			return -1;
		body = strbuf_str(plain);
	}
	struct str type = http_request_header(req, "Content-Type");

	if (content_type_is_protobuf(type))
		return proto_decode(body, &lim, &w->arena, ret_families, err);
	return decode_text(w, content_type_is_openmetrics(type), body, &lim, ret_families, err);
}

static void refuse_undecoded(struct api_worker *w, struct http_request *req, const struct key *key,
			     const struct err *err, int64_t start_ns)
{
	CLEANUP(strbuf_done) struct strbuf group = { 0 };

	for (uint32_t i = 0; i < key->n_labels; i++) {
		strbuf_addc(&group, i > 0 ? ',' : '{');
		strbuf_adds(&group, key->labels[i].name);
		strbuf_addc(&group, '=');
		strbuf_add_quoted(&group, key->labels[i].value);
	}
	strbuf_addc(&group, '}');
	submit_refuse(w, req, mode_of(http_request_method(req)), strbuf_str(&group), err,
		      err->reason == ERR_TOO_LARGE ? REJECT_LIMIT : REJECT_BODY, start_ns);
}

void api_group(struct api_worker *w, struct http_request *req)
{
	const struct config *c = w->api->config;
	const struct key_limits lim = {
		.max_labels = (uint32_t)c->labels_per_series,
		.max_label_name = (uint32_t)c->label_name_length,
		.max_label_value = (uint32_t)c->label_value_length,
		.utf8_names = c->push_enable_utf8_names,
	};
	enum push_mode mode = mode_of(http_request_method(req));
	int64_t start_ns = clock_mono_ns();
	CLEANUP(strbuf_done) struct strbuf plain = { 0 };
	struct family *families = NULL;
	struct err err = { 0 };
	struct key key;

	if (key_parse(w->key_path, &lim, &w->arena, &key, &err) < 0) {
		submit_refuse(w, req, mode, STR(""), &err, REJECT_PATH, start_ns);
		return;
	}
	if (mode != PUSH_DELETE && decode(w, req, &plain, &families, &err) < 0) {
		refuse_undecoded(w, req, &key, &err, start_ns);
		return;
	}

	struct push *push = push_build(&w->builder, mode, &key, families, clock_wall());

	if (push->err.reason && push->err.reason != ERR_INVALID) {
		submit_refuse(w, req, mode, push->labels, &push->err, REJECT_LIMIT, start_ns);
		push_free(push);
		return;
	}
	submit_push(w, req, push, start_ns);
}
