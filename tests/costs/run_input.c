/* run_input FILE: give the bytes of a file to the harness of tests/fuzz that this is linked with, once. */
#include "tests/fuzz/fuzz.h"

#pragma weak LLVMFuzzerInitialize

int main(int argc, char **argv)
{
	static uint8_t bytes[1 << 20];
	FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
	size_t n;

	if (f == NULL) {
		(void)fprintf(stderr, "usage: run_input FILE\n");
		return 64;
	}
	n = fread(bytes, 1, sizeof(bytes), f);
	(void)fclose(f);
	if (LLVMFuzzerInitialize != NULL)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	return LLVMFuzzerTestOneInput(bytes, n);
}
