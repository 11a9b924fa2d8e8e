#include "common/http/transport.h"

#include <string.h>

size_t transport_count(char *const *list, const char *name)
{
	size_t len = strlen(name), n = 0;

	for (; *list != NULL; list++)
		n += strncmp(*list, name, len) == 0 && (*list)[len] == '=';
	return n;
}
