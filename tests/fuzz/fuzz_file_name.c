/* File names: a name that is accepted is harmless. */
#include "cgi-gateway/parse/file_name.h"
#include "common/codec/encode.h"
#include "tests/fuzz/fuzz.h"

static void check_name(struct span sent, const char *name)
{
	char again[FILE_NAME_MAX + 1];
	struct span s = span_of(name);
	struct text_fault fault;
	struct buf b;

	(void)sent;
	MUST(s.len > 0 && s.len <= FILE_NAME_MAX && utf8_valid(s));
	MUST(!span_eq(s, SPAN(".")) && !span_eq(s, SPAN("..")));
	for (size_t i = 0; i < s.len; i++)
		MUST((unsigned char)s.p[i] >= 0x20 && s.p[i] != 0x7f &&
		     s.p[i] != '/' && s.p[i] != '\\');
	/* cleaning a clean name changes nothing */
	MUST(file_name_clean(s, again, &fault) == ERR_OK &&
	     strcmp(again, name) == 0);
	MUST(file_name_clean_typed(s, again, &fault) == ERR_OK &&
	     strcmp(again, name) == 0);
	for (int form = 0; form < 2; form++) {
		buf_init(&b, FILE_NAME_DISPOSITION_MAX);
		file_name_disposition(s, form != 0, (enum file_name_form)form,
				      &b);
		MUST(buf_error(&b) == ERR_OK && utf8_valid(buf_span(&b)));
		MUST(!span_has_control(buf_span(&b)));
		buf_release(&b);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size);
	char name[FILE_NAME_MAX + 1];
	struct text_fault fault = { "" };

	if (file_name_clean(text, name, &fault) == ERR_OK)
		check_name(text, name);
	else
		MUST(fault.text[0] != '\0');
	fuzz_free(text);
	return 0;
}
