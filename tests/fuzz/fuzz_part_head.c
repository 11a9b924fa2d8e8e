/* The header lines of a part: whatever they are, the result lies within them,
 * and a name from filename* is text. */
#include "cgi-gateway/parse/chunk_param.h"
#include "cgi-gateway/parse/part_head.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span head = fuzz_copy(data, size), file = fuzz_copy(data, size);
	struct part_head h;

	if (part_head_read((char *)(uintptr_t)head.p, head.len,
			   (char *)(uintptr_t)file.p, &h) == ERR_OK) {
		MUST(h.is_file || h.name.p != NULL);
		MUST(!h.bad_file || (h.is_file && h.file.len == 0));
		MUST(fuzz_inside(head, h.name));
		MUST(fuzz_inside(file, h.file));
		MUST(fuzz_inside(head, h.type));
		MUST(fuzz_inside(head, h.transfer));
		MUST(fuzz_inside(head, h.coding));
		MUST(fuzz_inside(head, h.range));
		(void)part_head_has_type_of_file(&h);
		(void)chunk_param_is(h.name);
	}
	fuzz_free(head);
	fuzz_free(file);
	return 0;
}
