"""hash.py N < "hash\\npassword" - check a password N times with libsodium. Prints the seconds of each by the
clock, and the CPU seconds of all, as JSON."""
import ctypes
import ctypes.util
import json
import sys
import time

sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
sodium.sodium_init()
stored, password = (line.encode() for line in sys.stdin.read().split("\n")[:2])
seconds = []
cpu = time.process_time()
for _ in range(int(sys.argv[1])):
    begun = time.perf_counter()
    wrong = sodium.crypto_pwhash_str_verify(stored, password, ctypes.c_ulonglong(len(password)))
    seconds.append(time.perf_counter() - begun)
    if wrong:
        sys.exit("hash.py: the password does not match")
print(json.dumps({"seconds": seconds, "cpu": time.process_time() - cpu}))
