#include "tests/unit/transport_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct memory_text {
	struct memory_text *next;
	char text[];
};

static struct memory *of(struct transport *t)
{
	return (struct memory *)t;
}

static enum err memory_accept(struct transport *t)
{
	return of(t)->finished > 0 ? ERR_CLOSED : ERR_OK;
}

static size_t memory_count(struct transport *t, const char *name)
{
	struct memory *m = (struct memory *)t;
	size_t n = 0;

	for (size_t i = 0; i < m->count; i++)
		n += m->variables[i].value != NULL &&
		     strcmp(m->variables[i].name, name) == 0;
	return n;
}

static const char *memory_variable(struct transport *t, const char *name)
{
	struct memory *m = of(t);
	const char *value = NULL;
	struct memory_text *copy;

	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->variables[i].name, name) == 0)
			value = m->variables[i].value;
	if (value == NULL)
		return NULL;
	copy = malloc(sizeof(*copy) + strlen(value) + 1);
	if (copy == NULL)
		return NULL;
	memcpy(copy->text, value, strlen(value) + 1);
	copy->next = m->texts;
	m->texts = copy;
	return copy->text;
}

static void free_texts(struct memory *m)
{
	while (m->texts != NULL) {
		struct memory_text *next = m->texts->next;

		free(m->texts);
		m->texts = next;
	}
}

static enum err memory_read(struct transport *t, struct span *chunk)
{
	struct memory *m = of(t);
	size_t n = m->body.len - m->read;

	if (m->piece > 0 && n > m->piece)
		n = m->piece;
	if (m->read_breaks >= 0 && m->read + n > (size_t)m->read_breaks)
		return ERR_CLOSED;
	free(m->lent);
	m->lent = NULL;
	if (n > 0) {
		m->lent = malloc(n);
		if (m->lent == NULL)
			return ERR_CLOSED;
		memcpy(m->lent, m->body.p + m->read, n);
	}
	m->read += n;
	*chunk = (struct span) { m->lent, n };
	return ERR_OK;
}

static bool memory_ready(struct transport *t, int ms)
{
	(void)ms;
	return of(t)->ready;
}

static enum err memory_write(struct transport *t, struct span bytes)
{
	struct memory *m = of(t);

	if (m->write_breaks >= 0 &&
	    m->text.len + bytes.len > (size_t)m->write_breaks)
		return ERR_CLOSED;
	buf_add(&m->text, bytes);
	return buf_error(&m->text);
}

static enum err memory_finish(struct transport *t)
{
	of(t)->finished++;
	free_texts(of(t));
	return ERR_OK;
}

static void memory_free(struct transport *t)
{
	(void)t; /* belongs to the test; see memory_release() */
}

void memory_init(struct memory *m, const char *method, const char *path)
{
	static const struct transport_ops ops = {
		.accept = memory_accept,
		.variable = memory_variable,
		.count = memory_count,
		.read = memory_read,
		.ready = memory_ready,
		.write = memory_write,
		.finish = memory_finish,
		.free = memory_free,
	};

	*m = (struct memory) {
		.base = { &ops },
		.ready = true,
		.read_breaks = MEMORY_NEVER,
		.write_breaks = MEMORY_NEVER,
	};
	buf_init(&m->text, MEMORY_ANSWER);
	memory_set(m, "REQUEST_METHOD", method);
	memory_set(m, "SCRIPT_NAME", path);
	memory_set(m, "REQUEST_URI", path);
	memory_set(m, "QUERY_STRING", "");
}

void memory_release(struct memory *m)
{
	free(m->lent);
	m->lent = NULL;
	free_texts(m);
	buf_release(&m->text);
}

void memory_set(struct memory *m, const char *name, const char *value)
{
	for (size_t i = 0; i < m->count; i++) {
		if (strcmp(m->variables[i].name, name) == 0) {
			m->variables[i].value = value;
			return;
		}
	}
	if (m->count == MEMORY_VARIABLES)
		abort();
	m->variables[m->count].name = name;
	m->variables[m->count++].value = value;
}

void memory_body(struct memory *m, struct span body, size_t piece)
{
	/* A test has one body at a time */
	static char length[24];

	m->body = body;
	m->piece = piece;
	(void)snprintf(length, sizeof(length), "%zu", body.len);
	memory_set(m, "CONTENT_LENGTH", length);
}

/* The header lines, each with its CRLF; the whole text if no body follows */
static struct span head_of(const struct memory *m, struct span *body)
{
	struct span all = buf_span(&m->text);

	for (size_t i = 0; i + 4 <= all.len; i++) {
		if (memcmp(all.p + i, "\r\n\r\n", 4) == 0) {
			*body = span_from(all, i + 4);
			return (struct span) { all.p, i + 2 };
		}
	}
	*body = (struct span) { NULL, 0 };
	return all;
}

static bool find_header(const struct memory *m, const char *name,
			struct span *value)
{
	struct span body, rest = head_of(m, &body), line, key, text;

	while (span_next(&rest, '\n', &line)) {
		key = line;
		if (span_cut(&key, ':', &text) &&
		    span_eq_nocase(key, span_of(name))) {
			if (text.len > 0 && text.p[text.len - 1] == '\r')
				text.len--;
			*value = span_trim(text);
			return true;
		}
	}
	return false;
}

bool memory_has_header(const struct memory *m, const char *name)
{
	struct span ignored;

	return find_header(m, name, &ignored);
}

struct span memory_header(const struct memory *m, const char *name)
{
	struct span value = { NULL, 0 };

	(void)find_header(m, name, &value);
	return value;
}

int memory_status(const struct memory *m)
{
	/* "201 Created" */
	struct span digits, phrase = memory_header(m, "Status");
	int64_t n = 0;

	return span_next(&phrase, ' ', &digits) && span_to_int(digits, &n)
		       ? (int)n
		       : 0;
}

struct span memory_answer(const struct memory *m)
{
	struct span body;

	(void)head_of(m, &body);
	return body;
}
