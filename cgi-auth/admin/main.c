/* auth-admin - the operator's tool for users and keys: one table. */
#include "cgi-auth/admin/commands.h"

#include "cgi-auth/admin/cmd_report.h"
#include "common/base/span.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define JSON_HELP "  --json            print JSON, for a program to read\n"
#define STDIN_HELP                                                       \
	"  --password-stdin  take the password from the first line of\n" \
	"                    standard input instead of asking for it\n"

/* A command whose name is "" is its group's word alone. */
static const struct command {
	const char *group, *name, *arguments;
	admin_fn *run;
	const char *summary, *help;
} commands[] = {
	{ "user", "add", "EMAIL [options]", cmd_user_add,
	  "add a user who may log in",
	  "  --admin           the user may manage the files of others\n"
	  "  --scope WORDS     what the user's tokens allow, words with "
	  "blanks between\n"
	  "                    (\"files:read files:write\"; --admin adds "
	  "\"admin\")\n" STDIN_HELP JSON_HELP
	  "\nA password has 8 characters or more.\n" },
	{ "user", "passwd", "EMAIL [options]", cmd_user_passwd,
	  "give a user another password",
	  STDIN_HELP "\nEvery session of the user ends, API tokens too.\n" },
	{ "user", "disable", "EMAIL", cmd_user_disable,
	  "let a user log in no more",
	  "Files stay as they are. Every session ends at once, API tokens "
	  "too, and does not\ncome back when the user is enabled again.\n" },
	{ "user", "enable", "EMAIL", cmd_user_enable,
	  "let a disabled user log in again", "" },
	{ "user", "delete", "EMAIL [--yes]", cmd_user_delete,
	  "remove a user for ever",
	  "  --yes             do not ask\n"
	  "\nThe user's files stay; nobody but an admin can reach them "
	  "then.\n" },
	{ "user", "totp", "enrol|confirm|reset EMAIL", cmd_user_totp,
	  "give a user a second factor, or take it away",
	  "  enrol    makes a secret, printed as a URI and as a QR code for an "
	  "authenticator\n"
	  "  confirm --code CODE   puts it in force, and prints recovery "
	  "codes\n"
	  "  reset    lets the user log in without one again\n" },
	{ "user", "list", "[--json]", cmd_user_list, "show all users",
	  JSON_HELP },
	{ "user", "show", "EMAIL [--json]", cmd_user_show, "show one user",
	  JSON_HELP },
	{ "user", "import-plaintext", "[--dry-run]", cmd_user_import_plaintext,
	  "hash the passwords of rows that hold plain text",
	  "  --dry-run         change nothing, only tell which rows it would "
	  "be\n"
	  "\nFor tables from elsewhere. Such users cannot log in before; "
	  "afterwards they do\nwith the password they had. It may be "
	  "interrupted and run again.\n" },
	{ "session", "list", "EMAIL [--json]", cmd_session_list,
	  "show a user's logins and API tokens", JSON_HELP },
	{ "session", "end", "EMAIL|ID", cmd_session_end,
	  "end one session, or every one of a user",
	  "An ID is a login or an API token, as session list shows it; an "
	  "EMAIL means all\nof the user's. It is in force at the next "
	  "request.\n" },
	{ "audit", "", "[--last N] [--user EMAIL] [--json]", cmd_audit_list,
	  "show what happened last: logins, failures, changes",
	  "  --last N      so many (50)\n"
	  "  --user EMAIL  of this user alone\n" JSON_HELP
	  "\nThe oldest comes first. It goes back AUDIT_DAYS; changes made "
	  "with auth-admin\nhave the name of the Unix user for a "
	  "request.\n" },
	{ "gc", "", "", cmd_gc,
	  "remove the rows of sessions that ended long ago",
	  "Rows stay for 30 days after their session has ended. Run it once "
	  "a day or so;\nnothing depends on it but the size of the "
	  "tables.\n" },
	{ "key", "new", "", cmd_key_new,
	  "make the keyring file with its first key",
	  "The file is the one that JWT_KEYRING names.\n" },
	{ "key", "rotate", "", cmd_key_rotate,
	  "make a new key that signs tokens from now on",
	  "Older keys verify until the last of their tokens has expired. "
	  "Running programs notice\nby themselves.\n" },
	{ "key", "list", "[--json]", cmd_key_list,
	  "show the keys, without their secrets", JSON_HELP },
};

enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

enum { GROUP_WIDTH = 8, NAME_WIDTH = 16 }; /* columns of the list */

static void help_all(const char *group)
{
	(void)printf("auth-admin - manage the users, sessions and keys of "
		     "Gatehouse\n\n");
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];

		if (group == NULL || strcmp(group, c->group) == 0)
			(void)printf("  auth-admin %-*s%-*s %s\n", GROUP_WIDTH,
				     c->group, NAME_WIDTH, c->name, c->summary);
	}
	(void)printf(
		"\nEach has its own --help. Settings are those of cgi-auth "
		"(cgi-auth --help), from the\nenvironment or from the file "
		"that GATEHOUSE_CONF names: user commands need\nMYSQL_USER and "
		"the way to the database, key commands need JWT_KEYRING.\n\n"
		"Exit status: 0 done; 1 not found, taken or refused; 64 wrong "
		"usage; 69 database\naway; 74 file not readable or writable; "
		"78 wrong configuration.\n");
}

static void help_one(const struct command *c)
{
	const char *blank = c->name[0] != '\0' ? " " : "";

	(void)printf("auth-admin %s%s%s %s\n\n%c%s.\n", c->group, blank,
		     c->name, c->arguments, c->summary[0] - 'a' + 'A',
		     c->summary + 1);
	if (c->help[0] != '\0')
		(void)printf("\n%s", c->help);
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static const struct command *find(const char *group, const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(group, commands[i].group) == 0 &&
		    (commands[i].name[0] == '\0' ||
		     strcmp(name, commands[i].name) == 0))
			return &commands[i];
	return NULL;
}

static bool is_group(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(name, commands[i].group) == 0)
			return true;
	return false;
}

static int run(const struct command *c, int argc, char **argv)
{
	char self[32];

	if (asks_help(argc - 1, argv + 1))
		return help_one(c), 0;
	if (sodium_init() < 0)
		return cmd_fail(EX_OSERR, "libsodium does not start");
	(void)snprintf(self, sizeof(self), "%s%s%s", c->group,
		       c->name[0] != '\0' ? " " : "", c->name);
	argv[0] = self;
	return c->run(argc, argv);
}

int main(int argc, char **argv)
{
	const char *group = argc > 1 ? argv[1] : "";
	const char *name = argc > 2 ? argv[2] : "";
	const struct command *c = find(group, name);

	if (c != NULL) {
		int words = c->name[0] != '\0' ? 2 : 1;

		return run(c, argc - words, argv + words);
	}
	if (strcmp(group, "--version") == 0)
		return printf("auth-admin %s\n", GATEHOUSE_VERSION), 0;
	if (asks_help(argc - 1, argv + 1))
		return help_all(is_group(group) ? group : NULL), 0;
	if (group[0] == '\0')
		return cmd_fail(EX_USAGE,
				"say what to do, like: auth-admin user list; "
				"see auth-admin --help");
	if (!is_group(group))
		return cmd_fail(EX_USAGE,
				"unknown command \"%s\"; see auth-admin --help",
				group);
	return cmd_fail(EX_USAGE,
			"unknown command \"%s%s%s\"; see auth-admin "
			"%s --help",
			group, name[0] != '\0' ? " " : "", name, group);
}
