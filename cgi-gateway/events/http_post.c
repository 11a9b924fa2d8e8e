#include "cgi-gateway/events/http_post.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

struct transfer {
	struct transfer *next;
	CURL *curl;
	struct curl_slist *headers;
	void *context;
	size_t header, body; /* bytes of the response so far */
	bool enough;	     /* reading has stopped */
	char error[CURL_ERROR_SIZE];
};

struct http_post_client {
	CURLM *multi;
	long timeout_ms;
	const char *ca;	      /* borrowed; "" for the system's */
	struct transfer *all; /* owned */
	int count;	      /* of these */
};

enum err http_post_open(int64_t timeout, const char *ca,
			struct http_post_client **out)
{
	struct http_post_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_MEMORY;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(c);
		return ERR_MEMORY;
	}
	c->multi = curl_multi_init();
	c->timeout_ms = (long)timeout * 1000;
	c->ca = ca;
	if (c->multi == NULL) {
		http_post_close(c);
		return ERR_MEMORY;
	}
	*out = c;
	return ERR_OK;
}

static void release_transfer(struct http_post_client *c, struct transfer *t)
{
	struct transfer **at = &c->all;

	while (*at != NULL && *at != t)
		at = &(*at)->next;
	if (*at == t) {
		*at = t->next;
		c->count--;
	}
	if (t->curl != NULL) {
		(void)curl_multi_remove_handle(c->multi, t->curl);
		curl_easy_cleanup(t->curl);
	}
	curl_slist_free_all(t->headers);
	free(t);
}

void http_post_close(struct http_post_client *c)
{
	if (c == NULL)
		return;
	while (c->all != NULL)
		release_transfer(c, c->all);
	(void)curl_multi_cleanup(c->multi);
	curl_global_cleanup();
	free(c);
}

/* --- receiving ------------------------------------------------------------ */

static size_t count_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)bytes;
	t->header += size * n;
	return t->header <= HTTP_POST_RESPONSE_MAX ? size * n : 0;
}

/* Stop reading once the body is too long: the status is already known. */
static size_t count_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)bytes;
	t->body += size * n;
	t->enough = t->body > HTTP_POST_RESPONSE_MAX;
	return t->enough ? 0 : size * n;
}

/* Set the reason, in ASCII: a message of libcurl may contain text of the
 * server. */
static void set_why(struct http_post_response *out, const char *text)
{
	size_t len = strlen(text);

	if (len > HTTP_POST_WHY_MAX)
		len = HTTP_POST_WHY_MAX;
	for (size_t n = 0; n < len; n++)
		out->why[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	out->why[len] = '\0';
}

/* Whether a status concerns the server and not the request (RFC 9110 15.6, RFC
 * 6585 4) */
static bool is_unavailable(long status)
{
	return status == 429 || (status >= 502 && status <= 504);
}

static void fill_response(const struct transfer *t, CURLcode code,
			  struct http_post_response *out)
{
	char text[32];
	curl_off_t wait = 0;
	long status = 0;

	(void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &wait);
	if (code == CURLE_WRITE_ERROR && t->enough)
		code = CURLE_OK;
	*out = (struct http_post_response) {
		.context = t->context,
		.unavailable = code != CURLE_OK || is_unavailable(status),
		.retry_after = wait,
	};
	if (t->header > HTTP_POST_RESPONSE_MAX) {
		set_why(out, "the header of the response is too long");
	} else if (code != CURLE_OK) {
		set_why(out, t->error[0] != '\0' ? t->error
						 : curl_easy_strerror(code));
	} else if (status >= 200 && status <= 299) {
		out->accepted = true;
	} else {
		(void)snprintf(text, sizeof(text), "HTTP %ld", status);
		set_why(out, text);
	}
}

bool http_post_next(struct http_post_client *c, struct http_post_response *out)
{
	struct transfer *t = NULL;
	int left;
	const CURLMsg *m = curl_multi_info_read(c->multi, &left);

	while (m != NULL && m->msg != CURLMSG_DONE)
		m = curl_multi_info_read(c->multi, &left);
	if (m == NULL)
		return false;
	(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
	fill_response(t, m->data.result, out);
	release_transfer(c, t);
	return true;
}

void http_post_wait(struct http_post_client *c, int ms)
{
	int running;

	(void)curl_multi_perform(c->multi, &running);
	if (running < c->count)
		return; /* a request has just ended */
	(void)curl_multi_poll(c->multi, NULL, 0, ms, NULL);
	(void)curl_multi_perform(c->multi, &running);
}

/* --- sending -------------------------------------------------------------- */

static bool add_header(struct transfer *t, const char *line)
{
	struct curl_slist *all = curl_slist_append(t->headers, line);

	if (all != NULL)
		t->headers = all;
	return all != NULL;
}

static bool set_headers(struct transfer *t,
			const struct http_post_request *request)
{
	/* Without this, libcurl waits for "100 Continue" before a long body */
	bool ok = add_header(t, "Expect:");

	for (size_t i = 0; ok && request->headers[i] != NULL; i++)
		ok = add_header(t, request->headers[i]);
	return ok && curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER,
				      t->headers) == CURLE_OK;
}

static bool set_request(struct transfer *t,
			const struct http_post_request *request)
{
	return curl_easy_setopt(t->curl, CURLOPT_URL, request->url) ==
		       CURLE_OK &&
	       curl_easy_setopt(t->curl, CURLOPT_POSTFIELDSIZE_LARGE,
				(curl_off_t)request->body.len) == CURLE_OK &&
	       curl_easy_setopt(t->curl, CURLOPT_COPYPOSTFIELDS,
				request->body.p) == CURLE_OK &&
	       curl_easy_setopt(t->curl, CURLOPT_USERAGENT,
				"gatehouse/" GATEHOUSE_VERSION) == CURLE_OK &&
	       set_headers(t, request);
}

static bool set_limits(struct transfer *t, const struct http_post_client *c)
{
	return curl_easy_setopt(t->curl, CURLOPT_TIMEOUT_MS, c->timeout_ms) ==
		       CURLE_OK &&
	       curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(t->curl, CURLOPT_FOLLOWLOCATION, 0L) ==
		       CURLE_OK &&
	       curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, "http,https") ==
		       CURLE_OK &&
	       curl_easy_setopt(t->curl, CURLOPT_PROXY, "") == CURLE_OK &&
	       (c->ca[0] == '\0' ||
		curl_easy_setopt(t->curl, CURLOPT_CAINFO, c->ca) == CURLE_OK);
}

static bool set_response(struct transfer *t)
{
	return curl_easy_setopt(t->curl, CURLOPT_HEADERFUNCTION,
				count_header) == CURLE_OK &&
	       curl_easy_setopt(t->curl, CURLOPT_HEADERDATA, t) == CURLE_OK &&
	       curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, count_body) ==
		       CURLE_OK &&
	       curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t) == CURLE_OK &&
	       curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, t->error) ==
		       CURLE_OK &&
	       curl_easy_setopt(t->curl, CURLOPT_PRIVATE, t) == CURLE_OK;
}

enum err http_post_begin(struct http_post_client *c,
			 const struct http_post_request *request, void *context)
{
	struct transfer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return ERR_MEMORY;
	t->context = context;
	t->curl = curl_easy_init();
	if (t->curl == NULL || !set_request(t, request) || !set_limits(t, c) ||
	    !set_response(t) ||
	    curl_multi_add_handle(c->multi, t->curl) != CURLM_OK) {
		release_transfer(c, t);
		return ERR_MEMORY;
	}
	t->next = c->all;
	c->all = t;
	c->count++;
	return ERR_OK;
}
