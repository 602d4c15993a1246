#include "api/same_site.h"

#include "config/config.h"

/* The origin of a URL: "https://host:port". */
static struct str origin_of(struct str url)
{
	for (size_t i = 0, slashes = 0; i < url.n; i++)
		if (url.p[i] == '/' && ++slashes == 3)
			return (struct str){ url.p, i };
	return url;
}

/* Host and port of an origin; empty when it has no "://". */
static struct str host_of(struct str origin)
{
	for (size_t i = 0; i + 3 <= origin.n; i++)
		if (memcmp(origin.p + i, "://", 3) == 0)
			return (struct str){ origin.p + i + 3, origin.n - i - 3 };
	return STR("");
}

static bool is_ours(const struct api *api, const struct http_request *req, struct str origin)
{
	struct str external = str_of(api->config->web_external_url);
	struct str host = host_of(origin);

	return (host.n && str_eq_nocase(host, http_request_header(req, "Host"))) ||
	       (external.n && str_eq_nocase(origin, origin_of(external)));
}

bool same_site_allows(const struct api *api, const struct http_request *req, struct err *err)
{
	struct str site = http_request_header(req, "Sec-Fetch-Site");
	struct str origin = http_request_header(req, "Origin");

	if (site.p ? str_eq(site, STR("same-origin")) || str_eq(site, STR("none"))
		   : !origin.p || is_ours(api, req, origin))
		return true;
	err_set(err, ERR_FORBIDDEN, 0,
		"a page of another site must not change anything here (Sec-Fetch-Site, Origin)");
	return false;
}
