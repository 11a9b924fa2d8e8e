#include "common/codec/ident.h"

#include "common/codec/encode.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

void ident_random(char out[static IDENT_LEN + 1])
{
	char raw[16];

	do {
		randombytes_buf(raw, sizeof(raw));
		base64url_encode((struct span) { raw, sizeof(raw) }, out,
				 IDENT_LEN + 1);
	} while (out[0] == '-');
}

bool ident_is_random(struct span s)
{
	char raw[16];
	size_t n;

	return s.len == IDENT_LEN &&
	       base64url_decode(s, raw, sizeof(raw), &n) == ERR_OK;
}

/* RFC 9562 6.2, method 1: rand_a (12 bits) counts within one millisecond, from
 * a random start in its lower half; when it overflows, the clock advances. */
static uint64_t next_tick(uint64_t ms)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static uint64_t last; /* milliseconds << 12 | counter */
	uint64_t tick = ms << 12 | randombytes_uniform(0x800);

	(void)pthread_mutex_lock(&lock);
	if (tick <= last)
		tick = last + 1;
	last = tick;
	(void)pthread_mutex_unlock(&lock);
	return tick;
}

void ident_uuid7(int64_t ms, char out[static UUID_LEN + 1])
{
	static const unsigned char dash_after[] = { 8, 12, 16, 20 };
	uint64_t tick = next_tick((uint64_t)ms);
	unsigned char raw[16];
	char hex[HEX_SIZE(sizeof(raw))];
	size_t n = 0, group = 0;

	randombytes_buf(raw, sizeof(raw));
	for (int i = 0; i < 6; i++)
		raw[i] = (unsigned char)(tick >> (52 - 8 * i));
	raw[6] = (unsigned char)(0x70 | (tick >> 8 & 0x0f));
	raw[7] = (unsigned char)tick;
	raw[8] = (unsigned char)(0x80 | (raw[8] & 0x3f));
	hex_encode((struct span) { (char *)raw, sizeof(raw) }, hex,
		   sizeof(hex));
	for (size_t i = 0; i < 32; i++) {
		if (group < sizeof(dash_after) && i == dash_after[group]) {
			out[n++] = '-';
			group++;
		}
		out[n++] = hex[i];
	}
	out[n] = '\0';
}

bool ident_is_uuid(struct span s)
{
	if (s.len != UUID_LEN)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		bool hex = (s.p[i] >= '0' && s.p[i] <= '9') ||
			   (s.p[i] >= 'a' && s.p[i] <= 'f');

		if (dash ? s.p[i] != '-' : !hex)
			return false;
	}
	return true;
}

struct span ident_uuid_sent(struct span s, char out[static UUID_LEN + 1])
{
	struct span id = { out, UUID_LEN };

	if (s.len != UUID_LEN)
		return SPAN("");
	for (size_t i = 0; i < UUID_LEN; i++) {
		char c = s.p[i];

		out[i] = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
	}
	out[UUID_LEN] = '\0';
	return ident_is_uuid(id) ? id : SPAN("");
}
