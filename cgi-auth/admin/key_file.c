#include "cgi-auth/admin/key_file.h"

#include "common/codec/config.h"
#include "common/codec/encode.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PATH_BYTES = 4096,
	ENDS_MAX = KEYRING_MAX * 20, /* bytes: a "-" becomes a number */
};

/* Find "retires_at" in a line: the text between the second and the third blank.
 * Returns false for a line that is not a key. */
static bool find_retires(struct span line, size_t *from, size_t *to)
{
	size_t n = span_find(line, ' ');

	if (line.len == 0 || line.p[0] == '#' || n == line.len)
		return false;
	n += 1 + span_find(span_from(line, n + 1), ' ');
	if (n >= line.len)
		return false;
	*from = n + 1;
	*to = *from + span_find(span_from(line, *from), ' ');
	return true;
}

static struct span retires_text(struct span line)
{
	size_t from, to;

	if (!find_retires(line, &from, &to))
		return (struct span) { NULL, 0 };
	return (struct span) { line.p + from, to - from };
}

static bool has_signer(struct span text)
{
	struct span line;

	while (span_next(&text, '\n', &line))
		if (span_eq(retires_text(line), SPAN("-")))
			return true;
	return false;
}

void key_text_add(struct span text, struct span line, int64_t now,
		  int64_t retires_at, struct buf *to, struct key_change *out)
{
	struct span old, retires;
	int64_t when;

	out->kept = out->dropped = 0;
	while (span_next(&text, '\n', &old)) {
		retires = retires_text(old);
		if (span_to_int(retires, &when) && when <= now) {
			out->dropped++;
			continue;
		}
		if (old.len == 0 && text.len == 0)
			break;
		out->kept += retires.len > 0;
		if (span_eq(retires, SPAN("-"))) {
			buf_add(to, (struct span) { old.p, (size_t)(retires.p -
								    old.p) });
			buf_add_int(to, retires_at);
			buf_add(to, span_from(old,
					      (size_t)(retires.p + 1 - old.p)));
		} else {
			buf_add(to, old);
		}
		buf_add_char(to, '\n');
	}
	buf_add(to, line);
	buf_add_char(to, '\n');
}

/* Make a line with a new random secret. Its name is derived as for JWT_SECRET.
 */
static void new_line(int64_t now, char kid[static KID_MAX + 1],
		     char line[static KEY_LINE_MAX])
{
	char secret[KEY_BYTES], text[BASE64URL_SIZE(KEY_BYTES)];
	char hex[HEX_SIZE(SHA256_LEN)];
	unsigned char sum[SHA256_LEN];

	randombytes_buf(secret, sizeof(secret));
	sha256_of((struct span) { secret, sizeof(secret) }, sum);
	hex_encode((struct span) { (char *)sum, sizeof(sum) }, hex,
		   sizeof(hex));
	base64url_encode((struct span) { secret, sizeof(secret) }, text,
			 sizeof(text));
	(void)snprintf(kid, KID_MAX + 1, "%.16s", hex);
	(void)snprintf(line, KEY_LINE_MAX, "%s %lld - %s", kid, (long long)now,
		       text);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(text, sizeof(text));
}

static enum err write_all(int fd, struct span s)
{
	while (s.len > 0) {
		ssize_t n = write(fd, s.p, s.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_IO;
		s = span_from(s, (size_t)n);
	}
	return fsync(fd) == 0 ? ERR_OK : ERR_IO;
}

/* Give the new file the mode and the owner of the old one */
static enum err keep_rights(int fd, const struct stat *was, const char *path,
			    struct errmsg *why)
{
	if ((was->st_uid != geteuid() || was->st_gid != getegid()) &&
	    fchown(fd, was->st_uid, was->st_gid) != 0)
		return err_set(why, ERR_IO,
			       "%s belongs to user %ld, group %ld, and this "
			       "user may not keep that; run auth-admin as "
			       "that user or as root",
			       path, (long)was->st_uid, (long)was->st_gid);
	if (fchmod(fd, was->st_mode & 07777) != 0)
		return err_set(why, ERR_IO, "%s: %s", path, strerror(errno));
	return ERR_OK;
}

/* Replace the file at `path` by one that contains `text` */
static enum err replace(const char *path, int folder, const struct stat *was,
			struct span text, struct errmsg *why)
{
	char temporary[PATH_BYTES + 8];
	enum err e = ERR_OK;
	int fd;

	(void)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	fd = mkstemp(temporary);
	if (fd < 0)
		return err_set(why, ERR_IO, "cannot write beside %s: %s", path,
			       strerror(errno));
	if (was != NULL)
		e = keep_rights(fd, was, path, why);
	if (e == ERR_OK && write_all(fd, text) != ERR_OK)
		e = err_set(why, ERR_IO, "%s: %s", temporary, strerror(errno));
	if (close(fd) != 0 && e == ERR_OK)
		e = err_set(why, ERR_IO, "%s: %s", temporary, strerror(errno));
	if (e == ERR_OK && rename(temporary, path) != 0)
		e = err_set(why, ERR_IO, "%s: %s", path, strerror(errno));
	if (e != ERR_OK)
		(void)unlink(temporary);
	else if (fsync(folder) != 0)
		e = err_set(why, ERR_IO, "cannot sync the folder of %s: %s",
			    path, strerror(errno));
	return e;
}

/* Open and lock the folder that contains `path`. Closing *out releases the
 * lock. */
static enum err lock_folder(const char *path, int *out, struct errmsg *why)
{
	char name[PATH_BYTES] = ".";
	struct span folder = span_of(path), base;
	int fd;

	if (span_cut_last(&folder, '/', &base) &&
	    !span_to_cstr(folder.len > 0 ? folder : SPAN("/"), name,
			  sizeof(name)))
		return err_set(why, ERR_IO, "%.40s: the path is too long",
			       path);
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(why, ERR_IO, "cannot open the folder %s: %s",
			       name, strerror(errno));
	while (flock(fd, LOCK_EX) != 0) {
		if (errno != EINTR) {
			(void)close(fd);
			return err_set(why, ERR_IO, "cannot lock %s: %s", name,
				       strerror(errno));
		}
	}
	*out = fd;
	return ERR_OK;
}

/* Check whether a key may be added; compose() checks the form of the file */
static enum err allowed(const char *path, enum key_how how, struct span text,
			struct errmsg *why)
{
	bool signer = has_signer(text);

	if (how == KEY_FIRST && signer)
		return err_set(why, ERR_CONFLICT,
			       "%s already has a signing key; to replace the "
			       "key, run: auth-admin key rotate",
			       path);
	if (how == KEY_NEXT && !signer)
		return err_set(why, ERR_NOT_FOUND,
			       "%s has no signing key; make one with: "
			       "auth-admin key new",
			       path);
	return ERR_OK;
}

/* Write the new text, and check that programs can read it */
static enum err compose(const char *path, struct span text, int64_t now,
			struct buf *to, struct key_change *c,
			struct errmsg *cause)
{
	char line[KEY_LINE_MAX];
	struct keyring ring;
	struct errmsg why;
	enum err e;

	new_line(now, c->kid, line);
	/* Reserve all room at once: a growing buffer leaves copies of secrets
	 * behind */
	if (buf_room(to, text.len + sizeof(line) + (size_t)ENDS_MAX) != NULL)
		key_text_add(text, span_of(line), now, c->retires_at, to, c);
	sodium_memzero(line, sizeof(line));
	e = buf_error(to);
	if (e != ERR_OK)
		return err_set(cause, e, "%s: %s", path, err_text(e));
	if (c->kept >= KEYRING_MAX)
		return err_set(cause, ERR_CONFLICT,
			       "%s is full: %d keys are still needed to verify "
			       "tokens; wait until the first retires (see "
			       "auth-admin key list)",
			       path, c->kept);
	e = keyring_from_text(buf_span(to), &ring, &why);
	if (e != ERR_OK)
		return err_set(cause, e, "%s: %s", path, why.text);
	keyring_release(&ring);
	return ERR_OK;
}

static enum err read_file(const char *path, char **text, size_t *len,
			  struct stat *was, struct errmsg *why)
{
	enum err e;

	if (stat(path, was) != 0)
		return errno == ENOENT ? ERR_NOT_FOUND
				       : err_set(why, ERR_IO, "%s: %s", path,
						 strerror(errno));
	e = config_read_file(path, text, len, why);
	return e == ERR_CONFIG ? ERR_IO : e;
}

static enum err change(const char *path, int folder, enum key_how how,
		       int64_t now, struct key_change *c, struct errmsg *why)
{
	char *text = NULL;
	size_t len = 0;
	struct stat was;
	struct buf to;
	enum err e = read_file(path, &text, &len, &was, why);
	bool exists = e == ERR_OK;

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	buf_init(&to, CONFIG_FILE_MAX);
	e = allowed(path, how, (struct span) { text, len }, why);
	if (e == ERR_OK)
		e = compose(path, (struct span) { text, len }, now, &to, c,
			    why);
	if (e == ERR_OK)
		e = replace(path, folder, exists ? &was : NULL, buf_span(&to),
			    why);
	if (to.p != NULL)
		sodium_memzero(to.p, to.cap);
	buf_release(&to);
	if (text != NULL)
		sodium_memzero(text, len);
	free(text);
	return e;
}

/* Resolve symbolic links: the file must be replaced, not the link. If the file
 * does not exist yet, *out is `path`. The caller frees *out. */
static enum err find_file(const char *path, char **out, struct errmsg *why)
{
	struct stat link;

	*out = realpath(path, NULL);
	if (*out != NULL)
		return ERR_OK;
	if (errno != ENOENT)
		return err_set(why, ERR_IO, "%s: %s", path, strerror(errno));
	if (lstat(path, &link) == 0)
		return err_set(why, ERR_IO,
			       "%s is a symbolic link to a file that does not "
			       "exist; make an empty file there, or remove the "
			       "link",
			       path);
	*out = strdup(path);
	return *out != NULL ? ERR_OK
			    : err_set(why, ERR_MEMORY, "out of memory");
}

enum err key_file_add(const char *path, enum key_how how, int64_t now,
		      int64_t token_life, struct key_change *out,
		      struct errmsg *why)
{
	struct key_change c = {
		.retires_at = now + token_life + KEY_GRACE,
	};
	char *file = NULL;
	int folder = -1;
	enum err e = find_file(path, &file, why);

	if (e == ERR_OK)
		e = lock_folder(file, &folder, why);
	if (e == ERR_OK)
		e = change(file, folder, how, now, &c, why);
	if (e == ERR_OK)
		*out = c;
	if (folder >= 0)
		(void)close(folder);
	free(file);
	return e;
}
