#include "cgi-gateway/events/http_post.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

struct under_way {
	struct under_way *next;
	CURL *curl;
	struct curl_slist *headers;
	void *who;
	size_t head, body; /* bytes of the answer so far */
	bool enough;	   /* we have stopped reading */
	char error[CURL_ERROR_SIZE];
};

struct http_posts {
	CURLM *multi;
	long timeout_ms;
	const char *ca;	       /* borrowed; "" for the system's */
	struct under_way *all; /* owned */
	int count;	       /* of these */
};

enum err http_posts_open(int64_t timeout, const char *ca,
			 struct http_posts **out)
{
	struct http_posts *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ERR_MEMORY;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(p);
		return ERR_MEMORY;
	}
	p->multi = curl_multi_init();
	p->timeout_ms = (long)timeout * 1000;
	p->ca = ca;
	if (p->multi == NULL) {
		http_posts_close(p);
		return ERR_MEMORY;
	}
	*out = p;
	return ERR_OK;
}

static void release(struct http_posts *p, struct under_way *u)
{
	struct under_way **at = &p->all;

	while (*at != NULL && *at != u)
		at = &(*at)->next;
	if (*at == u) {
		*at = u->next;
		p->count--;
	}
	if (u->curl != NULL) {
		(void)curl_multi_remove_handle(p->multi, u->curl);
		curl_easy_cleanup(u->curl);
	}
	curl_slist_free_all(u->headers);
	free(u);
}

void http_posts_close(struct http_posts *p)
{
	if (p == NULL)
		return;
	while (p->all != NULL)
		release(p, p->all);
	(void)curl_multi_cleanup(p->multi);
	curl_global_cleanup();
	free(p);
}

/* --- what comes back ----------------------------------------------------- */

static size_t take_head(char *bytes, size_t size, size_t n, void *arg)
{
	struct under_way *u = arg;

	(void)bytes;
	u->head += size * n;
	return u->head <= HTTP_POST_ANSWER_MAX ? size * n : 0;
}

/* The status has come by now, and is all that is asked for */
static size_t take_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct under_way *u = arg;

	(void)bytes;
	u->body += size * n;
	u->enough = u->body > HTTP_POST_ANSWER_MAX;
	return u->enough ? 0 : size * n;
}

/* What stands in a message of libcurl's may have come from outside */
static void say(struct http_response *out, const char *text)
{
	size_t len = strlen(text);

	if (len > HTTP_POST_WHY_MAX)
		len = HTTP_POST_WHY_MAX;
	for (size_t n = 0; n < len; n++)
		out->why[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	out->why[len] = '\0';
}

/* As much as: it is not about this request, ask later (RFC 9110 15.6, RFC 6585
 * 4) */
static bool is_not_now(long status)
{
	return status == 429 || (status >= 502 && status <= 504);
}

static void judge(const struct under_way *u, CURLcode code,
		  struct http_response *out)
{
	char text[32];
	curl_off_t wait = 0;
	long status = 0;

	(void)curl_easy_getinfo(u->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(u->curl, CURLINFO_RETRY_AFTER, &wait);
	if (code == CURLE_WRITE_ERROR && u->enough)
		code = CURLE_OK;
	*out = (struct http_response) {
		.who = u->who,
		.away = code != CURLE_OK || is_not_now(status),
		.retry_after = wait,
	};
	if (u->head > HTTP_POST_ANSWER_MAX) {
		say(out, "the head of the answer is too long");
	} else if (code != CURLE_OK) {
		say(out,
		    u->error[0] != '\0' ? u->error : curl_easy_strerror(code));
	} else if (status >= 200 && status <= 299) {
		out->taken = true;
	} else {
		(void)snprintf(text, sizeof(text), "HTTP %ld", status);
		say(out, text);
	}
}

bool http_posts_ended(struct http_posts *p, struct http_response *out)
{
	struct under_way *u = NULL;
	int left;
	const CURLMsg *m = curl_multi_info_read(p->multi, &left);

	while (m != NULL && m->msg != CURLMSG_DONE)
		m = curl_multi_info_read(p->multi, &left);
	if (m == NULL)
		return false;
	(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&u);
	judge(u, m->data.result, out);
	release(p, u);
	return true;
}

void http_posts_wait(struct http_posts *p, int ms)
{
	int running;

	(void)curl_multi_perform(p->multi, &running);
	if (running < p->count)
		return; /* one has ended just now */
	(void)curl_multi_poll(p->multi, NULL, 0, ms, NULL);
	(void)curl_multi_perform(p->multi, &running);
}

/* --- what goes out ------------------------------------------------------- */

static bool add_header(struct under_way *u, const char *line)
{
	struct curl_slist *all = curl_slist_append(u->headers, line);

	if (all != NULL)
		u->headers = all;
	return all != NULL;
}

static bool set_headers(struct under_way *u, const struct http_post *what)
{
	/* libcurl would ask a slow receiver first whether it may send */
	bool ok = add_header(u, "Expect:");

	for (size_t i = 0; ok && what->headers[i] != NULL; i++)
		ok = add_header(u, what->headers[i]);
	return ok && curl_easy_setopt(u->curl, CURLOPT_HTTPHEADER,
				      u->headers) == CURLE_OK;
}

static bool set_request(struct under_way *u, const struct http_post *what)
{
	return curl_easy_setopt(u->curl, CURLOPT_URL, what->url) == CURLE_OK &&
	       curl_easy_setopt(u->curl, CURLOPT_POSTFIELDSIZE_LARGE,
				(curl_off_t)what->body.len) == CURLE_OK &&
	       curl_easy_setopt(u->curl, CURLOPT_COPYPOSTFIELDS,
				what->body.p) == CURLE_OK &&
	       curl_easy_setopt(u->curl, CURLOPT_USERAGENT,
				"gatehouse/" GATEHOUSE_VERSION) == CURLE_OK &&
	       set_headers(u, what);
}

static bool set_bounds(struct under_way *u, const struct http_posts *p)
{
	return curl_easy_setopt(u->curl, CURLOPT_TIMEOUT_MS, p->timeout_ms) ==
		       CURLE_OK &&
	       curl_easy_setopt(u->curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(u->curl, CURLOPT_FOLLOWLOCATION, 0L) ==
		       CURLE_OK &&
	       curl_easy_setopt(u->curl, CURLOPT_PROTOCOLS_STR, "http,https") ==
		       CURLE_OK &&
	       curl_easy_setopt(u->curl, CURLOPT_PROXY, "") == CURLE_OK &&
	       (p->ca[0] == '\0' ||
		curl_easy_setopt(u->curl, CURLOPT_CAINFO, p->ca) == CURLE_OK);
}

static bool set_answer(struct under_way *u)
{
	return curl_easy_setopt(u->curl, CURLOPT_HEADERFUNCTION, take_head) ==
		       CURLE_OK &&
	       curl_easy_setopt(u->curl, CURLOPT_HEADERDATA, u) == CURLE_OK &&
	       curl_easy_setopt(u->curl, CURLOPT_WRITEFUNCTION, take_body) ==
		       CURLE_OK &&
	       curl_easy_setopt(u->curl, CURLOPT_WRITEDATA, u) == CURLE_OK &&
	       curl_easy_setopt(u->curl, CURLOPT_ERRORBUFFER, u->error) ==
		       CURLE_OK &&
	       curl_easy_setopt(u->curl, CURLOPT_PRIVATE, u) == CURLE_OK;
}

enum err http_posts_begin(struct http_posts *p, const struct http_post *what,
			  void *who)
{
	struct under_way *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return ERR_MEMORY;
	u->who = who;
	u->curl = curl_easy_init();
	if (u->curl == NULL || !set_request(u, what) || !set_bounds(u, p) ||
	    !set_answer(u) ||
	    curl_multi_add_handle(p->multi, u->curl) != CURLM_OK) {
		release(p, u);
		return ERR_MEMORY;
	}
	u->next = p->all;
	p->all = u;
	p->count++;
	return ERR_OK;
}
