/* commands.h - the subcommands of auth-admin, one file each.
 *
 * Exit status, which a script may rely on:
 *
 *   0   done
 *   1   not done: no such user, taken already, refused, or not confirmed
 *   64  the command line is wrong (EX_USAGE)
 *   69  the database is away, or lets us not in (EX_UNAVAILABLE)
 *   71  no memory (EX_OSERR)
 *   74  a file cannot be read or written (EX_IOERR)
 *   78  a setting, a right or the schema is wrong (EX_CONFIG)
 *
 * What went wrong is one line on standard error that begins "auth-admin: ".
 */
#ifndef COMMANDS_H
#define COMMANDS_H

/* argv[0] is "user add", options and arguments follow. Returns the status. */
typedef int admin_fn(int argc, char **argv);

admin_fn cmd_user_add;
admin_fn cmd_user_passwd;
admin_fn cmd_user_disable;
admin_fn cmd_user_enable;
admin_fn cmd_user_delete;
admin_fn cmd_user_totp;
admin_fn cmd_user_list;
admin_fn cmd_user_show;
admin_fn cmd_user_import_plaintext;
admin_fn cmd_session_list;
admin_fn cmd_session_end;
admin_fn cmd_gc;
admin_fn cmd_audit_list;
admin_fn cmd_key_new;
admin_fn cmd_key_rotate;
admin_fn cmd_key_list;

#endif
