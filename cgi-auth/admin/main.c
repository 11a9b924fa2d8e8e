/* auth-admin - the operator's tool for users, sessions and keys: the table of
 * its commands. */
#include "cgi-auth/admin/commands.h"

/* clang-format off */

#define JSON_HELP \
	"  --json            print JSON, for a program to read\n"
#define STDIN_HELP \
	"  --password-stdin  read the password from the first line of standard input\n" \
	"                    instead of asking for it\n"

static const struct command commands[] = {
	{ "user add", cmd_user_add, "EMAIL [options]",
	  "add a user",
	  "  --admin           the user may manage the files of others\n"
	  "  --scope WORDS     what the tokens of the user allow, words separated by\n"
	  "                    blanks (\"files:read files:write\"; --admin adds \"admin\");\n"
	  "                    another word is kept for other services, with a warning\n"
	  STDIN_HELP JSON_HELP
	  "\nA password has 8 characters or more.\n" },
	{ "user set", cmd_user_set, "EMAIL [options]",
	  "change the rights or the email of a user",
	  "  --admin           the user may manage the files of others\n"
	  "  --no-admin        the user may not\n"
	  "  --scope WORDS     what the tokens of the user allow, instead of what they did;\n"
	  "                    with the word admin, or --admin, the user is an admin\n"
	  "  --email NEW       another email to log in with\n"
	  JSON_HELP
	  "\nIf the user has fewer rights then, or another email, every login of the\n"
	  "user ends at once. API tokens lose the words of scope that the user no\n"
	  "longer has; one that has none left ends. Additional rights are in the next\n"
	  "login or refresh.\n" },
	{ "user passwd", cmd_user_passwd, "EMAIL [options]",
	  "set another password for a user",
	  STDIN_HELP
	  "\nEvery session and API token of the user ends.\n" },
	{ "user disable", cmd_user_disable, "EMAIL",
	  "forbid a user to log in",
	  "Every session and API token of the user ends at once, and stays ended when the\n"
	  "user is enabled again. The files of the user stay.\n" },
	{ "user enable", cmd_user_enable, "EMAIL",
	  "allow a disabled user to log in again", "" },
	{ "user delete", cmd_user_delete, "EMAIL [--yes]",
	  "delete a user permanently",
	  "  --yes             do not ask\n"
	  "\nThe files of the user stay; only an admin can reach them then.\n" },
	{ "user totp enrol", cmd_user_totp_enrol, "EMAIL",
	  "create a second factor for a user",
	  "Prints the secret as a URI and as a QR code for an authenticator. The second\n"
	  "factor is required once user totp confirm has confirmed a code of it.\n" },
	{ "user totp confirm", cmd_user_totp_confirm, "EMAIL --code CODE",
	  "require the second factor from now on",
	  "  --code CODE       the code that the authenticator shows\n"
	  "\nPrints recovery codes, each for one login without the authenticator.\n" },
	{ "user totp reset", cmd_user_totp_reset, "EMAIL",
	  "remove the second factor of a user",
	  "The user logs in without a code until another second factor is confirmed.\n" },
	{ "user list", cmd_user_list, "[--json]",
	  "show all users", JSON_HELP },
	{ "user show", cmd_user_show, "EMAIL [--json]",
	  "show one user", JSON_HELP },
	{ "user import-plaintext", cmd_user_import_plaintext, "[--dry-run]",
	  "hash passwords that are stored as plain text",
	  "  --dry-run         change nothing, only list the rows\n"
	  "\nFor user tables from other systems. The users of such rows cannot log in until\n"
	  "then, and keep their passwords. If the command is interrupted, run it again.\n" },
	{ "session list", cmd_session_list, "EMAIL [--json]",
	  "show the logins and API tokens of a user", JSON_HELP },
	{ "session end", cmd_session_end, "EMAIL|ID",
	  "end one session, or all sessions of a user",
	  "ID is a login or an API token, as session list shows it. EMAIL means all logins\n"
	  "and API tokens of that user. Their next request is refused.\n" },
	{ "audit", cmd_audit, "[--last N] [--user EMAIL] [--json]",
	  "show recent logins, failures and changes",
	  "  --last N          how many events (50)\n"
	  "  --user EMAIL      only events of this user\n"
	  JSON_HELP
	  "\nThe oldest event comes first. Events are kept for AUDIT_DAYS. The request of a\n"
	  "change made by auth-admin is the name of the Unix user.\n" },
	{ "gc", cmd_gc, "",
	  "remove sessions that ended long ago",
	  "The rows of a session are kept for 30 days after its end. Run gc about daily;\n"
	  "only the size of the tables depends on it.\n" },
	{ "changed", cmd_changed, "",
	  "make the programs read sessions again",
	  "Run it after you have changed the tables user or session by SQL, and CHANGES_DIR\n"
	  "is set: until then a request may be answered by what a program remembers. The\n"
	  "commands of auth-admin do that by themselves.\n" },
	{ "key new", cmd_key_new, "",
	  "create the keyring file with its first key",
	  "JWT_KEYRING names the file.\n" },
	{ "key rotate", cmd_key_rotate, "",
	  "create a key that signs tokens from now on",
	  "Older keys verify until the last of their tokens has expired. Running programs\n"
	  "read the new key by themselves.\n" },
	{ "key list", cmd_key_list, "[--json]",
	  "show the keys without their secrets", JSON_HELP },
};

static const struct command_table table = {
	.program = "auth-admin",
	.summary = "manage the users, sessions and keys of Gatehouse",
	.settings =
	  "Settings are those of cgi-auth (cgi-auth --help), from the environment or from\n"
	  "the file that GATEHOUSE_CONF names. key commands need JWT_KEYRING; the others\n"
	  "need MYSQL_USER and how to reach the database.\n",
	.commands = commands,
	.count = sizeof(commands) / sizeof(*commands),
};

/* clang-format on */

int main(int argc, char **argv)
{
	return command_table_main(&table, argc, argv);
}
