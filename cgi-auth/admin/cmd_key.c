/* key new, key rotate, key list: they need JWT_KEYRING and no database */
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/admin/key_file.h"
#include "cgi-auth/app/auth_settings.h"
#include "common/admin/failure.h"
#include "common/admin/listing.h"
#include "common/admin/options.h"
#include "common/admin/output.h"
#include "common/codec/http_date.h"

#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

struct key_settings {
	struct auth_settings auth;
	char *path; /* owned */
};

static const struct config_item items[] = {
	{ "JWT_KEYRING", CONFIG_TEXT, offsetof(struct key_settings, path), NULL,
	  0, 0, "the path of the keyring file, like keys/keyring" },
};

static const struct listing_column columns[] = {
	{ "KEY", 20 },	  { "STATE", 9 }, { "CREATED", 21 },
	{ "RETIRES", 0 }, { NULL, 0 },
};

static int load(struct key_settings *s)
{
	struct errmsg why = { "" };
	enum err e = config_load(auth_items, AUTH_ITEMS, &s->auth, &why);

	if (e != ERR_OK)
		return admin_fail_settings(e, &why);
	e = config_load(items, 1, s, &why);
	if (e == ERR_OK)
		return 0;
	config_release(auth_items, AUTH_ITEMS, &s->auth);
	return admin_fail_settings(e, &why);
}

static void unload(struct key_settings *s)
{
	config_release(items, 1, s);
	config_release(auth_items, AUTH_ITEMS, &s->auth);
}

static int add(int argc, char **argv, enum key_how how)
{
	struct key_settings s;
	struct key_change c;
	struct errmsg why = { "" };
	char until[RFC3339_LEN + 1];
	int status = options_read(argc, argv, NULL, NULL, NULL);
	enum err e;

	if (status == 0)
		status = load(&s);
	if (status != 0)
		return status;
	e = key_file_add(s.path, how, time(NULL), s.auth.token_life, &c, &why);
	if (e != ERR_OK) {
		status = admin_fail_err(e, &why);
	} else if (how == KEY_FIRST) {
		(void)printf("Key %s signs tokens; it is in %s.\n", c.kid,
			     s.path);
	} else {
		rfc3339_format(c.retires_at, until);
		(void)printf("Key %s signs tokens from now on; the previous "
			     "key verifies until %s.\nRunning programs read "
			     "the new key by themselves.\n",
			     c.kid, until);
	}
	unload(&s);
	return status;
}

int cmd_key_new(int argc, char **argv)
{
	return add(argc, argv, KEY_FIRST);
}

int cmd_key_rotate(int argc, char **argv)
{
	return add(argc, argv, KEY_NEXT);
}

static const char *state_of(const struct keyring *ring, const struct key *key,
			    int64_t now)
{
	if (key == keyring_signer(ring))
		return "signs";
	return key_is_live(key, now) ? "verifies" : "retired";
}

static struct json_object *key_json(const struct key *k, const char *state)
{
	struct json_object *o = output_object();

	json_set_str(o, "kid", k->kid);
	json_set_str(o, "state", state);
	output_set_time(o, "created_at", k->created_at, -1);
	output_set_time(o, "retires_at", k->retires_at, KEY_NO_END);
	return o;
}

static enum err print_key(struct listing *l, const struct key *k,
			  const char *state)
{
	if (l->json)
		return listing_object(l, key_json(k, state));
	listing_cell(l, k->kid);
	listing_cell(l, state);
	listing_time(l, k->created_at, -1, "");
	listing_time(l, k->retires_at, KEY_NO_END, "-");
	return ERR_OK;
}

static enum err print_ring(const struct keyring *ring, struct listing *l)
{
	const int64_t now = time(NULL);
	enum err e = ERR_OK;

	listing_begin(l);
	for (size_t i = 0; i < ring->count && e == ERR_OK; i++)
		e = print_key(l, &ring->keys[i],
			      state_of(ring, &ring->keys[i], now));
	if (e == ERR_OK)
		listing_end(l, "No keys.");
	return e;
}

static enum err read_ring(const char *path, struct keyring *out,
			  struct errmsg *cause)
{
	struct errmsg why;
	char *text;
	size_t len;
	enum err e = config_read_file(path, &text, &len, cause);

	if (e != ERR_OK)
		return e;
	e = keyring_from_text((struct span) { text, len }, out, &why);
	sodium_memzero(text, len);
	free(text);
	return e == ERR_OK ? e : err_set(cause, e, "%s: %s", path, why.text);
}

int cmd_key_list(int argc, char **argv)
{
	struct listing l = { .columns = columns };
	const struct option_place options[] = {
		{ .name = "json", .flag = &l.json },
		{ .name = NULL },
	};
	struct key_settings s;
	struct keyring ring;
	struct errmsg why = { "" };
	int status = options_read(argc, argv, options, NULL, NULL);
	enum err e;

	if (status == 0)
		status = load(&s);
	if (status != 0)
		return status;
	e = read_ring(s.path, &ring, &why);
	unload(&s);
	if (e == ERR_OK) {
		e = print_ring(&ring, &l);
		keyring_release(&ring);
	}
	return e == ERR_OK ? 0 : admin_fail_err(e, &why);
}
