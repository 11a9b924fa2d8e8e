/* folder.h - a directory for one test, and the files in it. */
#ifndef FOLDER_H
#define FOLDER_H

#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_PATH_MAX = 4096 };

/* Make an empty directory that other users may read. */
static inline void folder_make(char out[static FOLDER_PATH_MAX])
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(out, FOLDER_PATH_MAX, "%s/gatehouse-unit.XXXXXX",
		       tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(out));
	assert_int_equal(chmod(out, 0755), 0);
}

/* Count the files below `path`, at any depth, without a store's `holds`, which
 * always exists and is empty. With `remove_` all is removed, the directory too.
 */
static inline size_t folder_walk(const char *path, bool remove_)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	size_t files = 0;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		char below[FOLDER_PATH_MAX];
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		assert_true(snprintf(below, sizeof(below), "%s/%s", path,
				     entry->d_name) < (int)sizeof(below));
		assert_int_equal(lstat(below, &st), 0);
		if (S_ISDIR(st.st_mode)) {
			files += folder_walk(below, remove_);
		} else {
			files += strcmp(entry->d_name, "holds") != 0;
			if (remove_)
				assert_int_equal(unlink(below), 0);
		}
	}
	(void)closedir(d);
	if (remove_)
		assert_int_equal(rmdir(path), 0);
	return files;
}

static inline size_t folder_files(const char *path)
{
	return folder_walk(path, false);
}

static inline void folder_remove(const char *path)
{
	(void)folder_walk(path, true);
}

#endif
