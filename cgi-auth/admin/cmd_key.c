/* key new, key rotate, key list: only JWT_KEYRING is needed, no database */
#include "cgi-auth/admin/cmd_record.h"
#include "cgi-auth/admin/cmd_report.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/admin/key_file.h"
#include "cgi-auth/app/auth_settings.h"
#include "common/codec/http_date.h"

#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct key_settings {
	struct auth_settings auth;
	char *path; /* owned */
};

static const struct config_item items[] = {
	{ "JWT_KEYRING", CONFIG_TEXT, offsetof(struct key_settings, path), NULL,
	  0, 0, "the path of the keyring file, like keys/keyring" },
};

static int load(int argc, char **argv, const struct option_place *options,
		size_t count, struct key_settings *s)
{
	struct errmsg why = { "" };
	int status = cmd_take_options(argc, argv, options, count, NULL, NULL);
	enum err e;

	if (status != 0)
		return status;
	e = config_load(auth_items, AUTH_ITEMS, &s->auth, &why);
	if (e == ERR_OK)
		e = config_load(items, 1, s, &why);
	return e == ERR_OK ? 0 : cmd_fail_err(e, &why);
}

static int add(int argc, char **argv, enum key_how how)
{
	struct key_settings s;
	struct key_change c;
	struct errmsg why = { "" };
	char until[RFC3339_LEN + 1];
	int status = load(argc, argv, NULL, 0, &s);
	enum err e;

	if (status != 0)
		return status;
	e = key_file_add(s.path, how, time(NULL), s.auth.token_life, &c, &why);
	if (e != ERR_OK) {
		status = cmd_fail_err(e, &why);
	} else if (how == KEY_FIRST) {
		(void)printf("Key %s signs; it is in %s.\n", c.kid, s.path);
	} else {
		rfc3339_format(c.retires_at, until);
		(void)printf("Key %s signs; the one before it verifies until "
			     "%s.\nRunning programs take it up by "
			     "themselves.\n",
			     c.kid, until);
	}
	config_release(items, 1, &s);
	return status != 0 ? status : cmd_finish_output();
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

static void print_table(const struct keyring *ring, int64_t now)
{
	char created[RFC3339_LEN + 1], retires[RFC3339_LEN + 1] = "-";

	(void)printf("%-20s %-9s %-21s %s\n", "KEY", "STATE", "CREATED",
		     "RETIRES");
	for (size_t i = 0; i < ring->count; i++) {
		const struct key *k = &ring->keys[i];

		rfc3339_format(k->created_at, created);
		if (k->retires_at == KEY_NO_END)
			memcpy(retires, "-", 2);
		else
			rfc3339_format(k->retires_at, retires);
		cmd_put_text(k->kid, 20);
		(void)printf(" %-9s %-21s %s\n", state_of(ring, k, now),
			     created, retires);
	}
}

static void print_json(const struct keyring *ring, int64_t now)
{
	struct json_object *list = json_object_new_array();
	struct span text;

	for (size_t i = 0; i < ring->count; i++) {
		const struct key *k = &ring->keys[i];
		struct json_object *o = json_object_new_object();

		json_set_str(o, "kid", k->kid);
		json_set_str(o, "state", state_of(ring, k, now));
		cmd_record_set_time(o, "created_at", k->created_at, -1);
		cmd_record_set_time(o, "retires_at", k->retires_at, KEY_NO_END);
		(void)json_object_array_add(list, o);
	}
	text = json_write(list);
	(void)printf("%.*s\n", SPAN_ARG(text));
	json_object_put(list);
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
	bool json = false;
	const struct option_place options[] = { { .name = "json",
						  .flag = &json } };
	struct key_settings s;
	struct keyring ring;
	struct errmsg why = { "" };
	int status = load(argc, argv, options, 1, &s);
	enum err e;

	if (status != 0)
		return status;
	e = read_ring(s.path, &ring, &why);
	config_release(items, 1, &s);
	if (e != ERR_OK)
		return cmd_fail_err(e, &why);
	if (json)
		print_json(&ring, time(NULL));
	else
		print_table(&ring, time(NULL));
	keyring_release(&ring);
	return cmd_finish_output();
}
