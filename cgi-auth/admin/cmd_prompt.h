/* cmd_prompt.h - asking the person at the terminal. */
#ifndef CMD_PROMPT_H
#define CMD_PROMPT_H

#include "cgi-auth/password/basic_credentials.h"

#include <stdbool.h>
#include <stddef.h>

/* A new password, from the first line of standard input or else from the
 * terminal, asked for twice and not shown. Checked by user_rules.h. Wipe it
 * after use. Returns 0, or an exit status after saying what is wrong. */
int cmd_prompt_password(bool from_stdin, const char *email,
			char out[static BASIC_PASSWORD_MAX + 1]);

/* True if the person at standard input answers "y" or "yes". Without a
 * terminal there, nobody is asked and *asked is false. */
bool cmd_prompt_yes(const char *question, bool *asked);

#endif
