#include "cgi-gateway/parse/link_visit.h"

#include "common/codec/field.h"

/* Parts of the User-Agent of programs that fetch a link to show or index it. The
 * last ones are words that such programs call themselves by. iMessage, Signal and
 * Teams send one of these names. */
static const char *const preview_agents[] = {
	"facebookexternalhit",
	"facebookcatalog",
	"facebot",
	"meta-external",
	"WhatsApp",
	"Slackbot",
	"Slack-ImgProxy",
	"TelegramBot",
	"Discordbot",
	"Twitterbot",
	"LinkedInBot",
	"Applebot",
	"iMessage",
	"Viber",
	"Snapchat",
	"vkShare",
	"Pinterest/",
	"redditbot",
	"Bluesky Cardyb",
	"Mastodon/",
	"Mattermost",
	"Rocket.Chat",
	"Googlebot",
	"Google-PageRenderer",
	"bingbot",
	"kakaotalk-scrap",
	"line-poker",
	"Iframely",
	"Embedly",
	"bot/",
	"bot;",
	"crawler",
	"spider",
	"preview",
};

static bool contains_nocase(struct span s, struct span part)
{
	for (size_t i = 0; i + part.len <= s.len; i++)
		if (span_has_prefix_nocase(span_from(s, i), part))
			return true;
	return false;
}

/* Sec-Purpose: prefetch;prerender (WICG), Purpose: preview (Safari), X-Moz:
 * prefetch (Firefox) */
static bool is_purpose(struct span field)
{
	return contains_nocase(field, SPAN("prefetch")) ||
	       contains_nocase(field, SPAN("prerender")) ||
	       contains_nocase(field, SPAN("preview"));
}

bool link_visit_is_preview(const struct link_visit *v)
{
	if (is_purpose(v->purpose) || is_purpose(v->sec_purpose) ||
	    is_purpose(v->x_purpose) || is_purpose(v->x_moz))
		return true;
	for (size_t i = 0; i < sizeof(preview_agents) / sizeof(*preview_agents);
	     i++)
		if (contains_nocase(v->user_agent, span_of(preview_agents[i])))
			return true;
	return false;
}

/* Whether the answer is to be a document of its own: no frame, which could not
 * show the page, and no image. Old browsers do not send the field. */
static bool is_document(const struct link_visit *v)
{
	return v->fetch_dest.len == 0 ||
	       span_eq(v->fetch_dest, SPAN("document")) ||
	       span_eq(v->fetch_dest, SPAN("empty"));
}

enum link_wants link_visit_wants(const struct link_visit *v)
{
	const struct span bytes = SPAN("application/octet-stream"),
			  html = SPAN("text/html"),
			  json = SPAN("application/json");
	bool preview = link_visit_is_preview(v);

	if (!preview && (v->explicit_bytes || v->range.len > 0))
		return LINK_WANTS_BYTES;
	if (field_accept_prefers(v->accept, json, bytes) &&
	    field_accept_prefers(v->accept, json, html))
		return LINK_WANTS_DESCRIPTION;
	if (preview ||
	    (is_document(v) && field_accept_prefers(v->accept, html, bytes)))
		return LINK_WANTS_PAGE;
	return LINK_WANTS_BYTES;
}
