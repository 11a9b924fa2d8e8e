/* JSON that is read can be written, and reads the same again; for any text the
 * fault, and the member that it names, are found inside the text. */
#include "common/codec/json.h"
#include "common/codec/json_fault.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size);
	struct json_object *o = NULL, *again = NULL;
	struct span key = { NULL, 0 };

	if (json_read(text, &o) == ERR_OK) {
		MUST(json_object_is_type(o, json_type_object));
		MUST(json_read(json_write(o), &again) == ERR_OK);
		MUST(json_object_object_length(o) ==
		     json_object_object_length(again));
		json_object_put(again);
		json_object_put(o);
	}
	if (json_fault_of(text, &key) == JSON_FAULT_TWICE)
		MUST(key.p >= text.p && key.p + key.len <= text.p + text.len);
	fuzz_free(text);
	return 0;
}
