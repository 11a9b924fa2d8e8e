#include "common/token/secret_check.h"

#include <math.h>
#include <string.h>

/* Usual alphabets, the smallest first */
static const struct alphabet {
	const char *extra; /* signs beside letters and digits */
	double size;
	bool upper, lower, digits, hex;
} alphabets[] = {
	{ "", 10, false, false, true, false },
	{ "", 16, false, true, true, true },
	{ "", 16, true, false, true, true },
	{ "", 36, false, true, true, false },
	{ "", 36, true, false, true, false }, /* base32 too */
	{ "", 62, true, true, true, false },
	{ "+/=", 64, true, true, true, false },
	{ "-_=", 64, true, true, true, false },
	{ "!@#$%^&*(-_=+)", 50, false, true, true, false },
};
static const double printable = 94;

/* For each letter, those that often follow it in words: 220 of 676 pairs */
static const char *const follow[26] = {
	"bcdgilmnprstvy",
	"aeilouy",
	"aehikloty",
	"aeiosuy",
	"acdefglmnprstvxy",
	"aefioru",
	"aeghilor",
	"aeiot",
	"cdefglmnorstvz",
	"aeou",
	"einy",
	"adefiklosuy",
	"abeimops",
	"acdegiosty",
	"bcdfklmnoprstuvw",
	"aehiloprt",
	"u",
	"adeiklmnorstuy",
	"ceihkmopstuy",
	"aehiorstuy",
	"cegilmnprst",
	"aeio",
	"aehino",
	"acipt",
	"eos",
	"aeioz",
};

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

static bool alphabet_has(const struct alphabet *a, char c)
{
	if (is_digit(c))
		return a->digits;
	if (is_upper(c))
		return a->upper && (!a->hex || c <= 'F');
	if (is_lower(c))
		return a->lower && (!a->hex || c <= 'f');
	return c != '\0' && strchr(a->extra, c) != NULL;
}

static double alphabet_size(struct span s)
{
	for (size_t i = 0; i < sizeof(alphabets) / sizeof(*alphabets); i++) {
		size_t n = 0;

		while (n < s.len && alphabet_has(&alphabets[i], s.p[n]))
			n++;
		if (n == s.len)
			return alphabets[i].size;
	}
	return printable;
}

/* The bound of Chernoff for `hits` or more of `n` events of probability `p`; 0
 * if there are fewer than expected */
static double binomial(double hits, double n, double p)
{
	double q = n > 0 ? hits / n : 0, e;

	if (q <= p)
		return 0;
	e = q * log(q / p);
	if (q < 1)
		e += (1 - q) * log((1 - q) / (1 - p));
	return n * e;
}

/* The same for `hits` or more where `mean` are expected (Poisson) */
static double poisson(double hits, double mean)
{
	return hits <= mean ? 0 : hits * log(hits / mean) - hits + mean;
}

/* Pairs of equal characters, wherever they are. They come together if at all, so
 * the spread is wider than that of Poisson: by 2, as measured. */
static double of_repeated_characters(struct span s, double size)
{
	double count[256] = { 0 }, pairs = 0, n = (double)s.len;

	for (size_t i = 0; i < s.len; i++)
		pairs += count[(unsigned char)s.p[i]]++;
	return poisson(pairs, n * (n - 1) / 2 / size) / 2;
}

static double of_words(struct span s)
{
	double n = 0, hits = 0;

	for (size_t i = 1; i < s.len; i++) {
		char a = lower(s.p[i - 1]), b = lower(s.p[i]);

		if (!is_lower(a) || !is_lower(b))
			continue;
		n++;
		hits += strchr(follow[a - 'a'], b) != NULL;
	}
	return binomial(hits, n, 0.33);
}

static int class_of(char c)
{
	return is_lower(c) ? 0 : is_upper(c) ? 1 : is_digit(c) ? 2 : 3;
}

static double of_groups(struct span s)
{
	double count[4] = { 0 }, same = 0, p = 0, n = (double)s.len;

	for (size_t i = 0; i < s.len; i++) {
		count[class_of(s.p[i])]++;
		same += i > 0 && class_of(s.p[i]) == class_of(s.p[i - 1]);
	}
	for (int c = 0; c < 4; c++)
		p += count[c] / n * (count[c] / n);
	return p < 1 ? binomial(same, n - 1, p) : 0;
}

/* As in 1234, abcd, 1111, and on a keyboard: along a row, down the columns, and
 * to and fro between two rows */
static bool are_neighbours(char a, char b)
{
	static const char *const ways[] = {
		"1234567890",
		"qwertzuiopasdfghjklyxcvbnm",
		"qwertyuiopasdfghjklzxcvbnm",
		"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
		"1q2w3e4r5t6y7u8i9o0p",
	};
	char c = lower(a), d = lower(b);

	if (c - d >= -1 && c - d <= 1)
		return true;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		const char *at = c != '\0' ? strchr(ways[i], c) : NULL;

		if (at != NULL && (at[1] == d || (at > ways[i] && at[-1] == d)))
			return true;
	}
	return false;
}

/* A third of all pairs, at most, in any alphabet */
static double of_neighbours(struct span s)
{
	double hits = 0;

	for (size_t i = 1; i < s.len; i++)
		hits += are_neighbours(s.p[i - 1], s.p[i]);
	return binomial(hits, (double)s.len - 1, 0.33);
}

/* The shift at which most characters meet an equal one */
static double of_parts_that_return(struct span s, double size)
{
	double most = 0;

	for (size_t d = 1; d < s.len; d++) {
		double hits = 0, e;

		for (size_t i = d; i < s.len; i++)
			hits += s.p[i] == s.p[i - d];
		e = binomial(hits, (double)(s.len - d), 1 / size);
		most = e > most ? e : most;
	}
	most -= log((double)s.len);
	return most > 0 ? most : 0;
}

double secret_improbability(struct span text)
{
	double size = alphabet_size(text);
	double e = of_repeated_characters(text, size) + of_neighbours(text) +
		   of_parts_that_return(text, size);

	/* There are no words in digits and hex */
	return size > 16 ? e + of_words(text) + of_groups(text) : e;
}
