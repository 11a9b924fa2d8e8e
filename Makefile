# Gatehouse. Targets: all check lint san fuzz fuzz-long install shared-hosting clean; see CONTRIBUTING.md
#
#   make                        the programs, into build/
#   make SAN=1 BUILD=build/san  the same under ASan and UBSan (or: make san)
#   make SAN=thread BUILD=...   under TSan

VERSION := 0.1.0
BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= gcc
PKG     ?= pkg-config

PACKAGES := libsodium json-c libcrypto libmariadb zlib
CPPFLAGS += -D_POSIX_C_SOURCE=200809L -DGATEHOUSE_VERSION='"$(VERSION)"' \
            -Icommon $(patsubst -I%,-isystem %,$(shell $(PKG) --cflags $(PACKAGES)))
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wvla -Wformat=2 -Wwrite-strings -Wpointer-arith -Wundef
CFLAGS   += -std=c17 -O2 -g $(WARN) -Werror -fPIE -fstack-protector-strong -pthread \
            -include common/banned.h
LDFLAGS  += -pie -Wl,-z,relro,-z,now -pthread
LDLIBS   := $(shell $(PKG) --libs libsodium json-c libcrypto zlib) -lmysqlclient -lcrypt -lfcgi

ifeq ($(SAN),1)
CFLAGS  += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
else ifeq ($(SAN),thread)
CFLAGS  += -fsanitize=thread -fno-omit-frame-pointer
LDFLAGS += -fsanitize=thread
else
CPPFLAGS += -D_FORTIFY_SOURCE=2
endif

# --- what is built of what -----------------------------------------------------
# A program is common/, its folder's modules, and one main: main.c for the
# service, admin.c and its cmd_*.c for the tool beside it.

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
COMMON  := $(wildcard common/*.c)
AUTH    := $(wildcard cgi-auth/*.c)
GATEWAY := $(wildcard cgi-gateway/*.c)
PROBE   := $(wildcard fcgi-probe/*.c)
TOOLS   := %/admin.c $(wildcard cgi-*/cmd_*.c)
MAINS   := %/main.c $(wildcard cgi-*/handle_*.c)

PROGRAMS := cgi-auth auth-admin cgi-gateway gateway-admin fcgi-probe
TESTS    := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*/test_*.c))
FUZZERS  := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
SOURCES  := $(COMMON) $(AUTH) $(GATEWAY) $(PROBE)

all: $(addprefix $(BUILD)/,$(PROGRAMS))

$(BUILD)/libcommon.a: $(call objects,$(COMMON))
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/cgi-auth:      $(call objects,$(filter-out $(TOOLS),$(AUTH)))
$(BUILD)/auth-admin:    $(call objects,$(filter-out $(MAINS),$(AUTH)))
$(BUILD)/cgi-gateway:   $(call objects,$(filter-out $(TOOLS),$(GATEWAY)))
$(BUILD)/gateway-admin: $(call objects,$(filter-out $(MAINS),$(GATEWAY)))
$(BUILD)/fcgi-probe:    $(call objects,$(PROBE))
# One-time codes, and the QR code that auth-admin prints
$(BUILD)/cgi-auth: private LDLIBS += -loath
$(BUILD)/auth-admin: private LDLIBS += -loath -lqrencode
# What bytes are
$(BUILD)/cgi-gateway $(BUILD)/gateway-admin: private LDLIBS += -lmagic
# What gateway-admin deliver sends with
$(BUILD)/gateway-admin: private LDLIBS += -lcurl
# It runs every few seconds in each container: no library for it to load
$(BUILD)/fcgi-probe: private LDLIBS :=
# Moved into place whole: a server may start it again at any moment
$(addprefix $(BUILD)/,$(PROGRAMS)): $(BUILD)/libcommon.a
	@echo "  LD $@"
	@$(CC) $(LDFLAGS) -o $@.new $(filter %.o,$^) $(BUILD)/libcommon.a $(LDLIBS) && mv $@.new $@

# A test finds its room's headers and those of tests/unit
test_includes = $(if $(filter tests/%,$(1)),-Itests/unit $(addprefix -I,$(filter cgi-% fcgi-probe,$(notdir $(patsubst %/,%,$(dir $(1)))))))

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(CPPFLAGS) $(call test_includes,$<) $(CFLAGS) -MMD -MP -c -o $@ $<

# sync_file_range(2), preadv2(2) and F_OFD_SETLK are Linux's own, and glibc shows realpath(3) to POSIX only under _FORTIFY_SOURCE
LINUX := store_disk store_disk_writer store_disk_hold partial_disk partial_mark partial_finish test_store_disk
$(foreach m,$(LINUX),%/$(m).o %/$(m).analyzed %/$(m).tidy): private CPPFLAGS += -D_GNU_SOURCE

# Other flags, another build: the file changes only when they do
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(CPPFLAGS) $(CFLAGS)' > $@

# --- checks --------------------------------------------------------------------

TEST_BINS := $(addprefix $(BUILD)/tests/unit/,$(TESTS))
UNIT      := $(BUILD)/obj/tests/unit/transport_memory.o $(BUILD)/libcommon.a
modules    = $(call objects,$(filter-out %/main.c %/admin.c $(wildcard cgi-*/cmd_*.c),$(1)))

# A unit test may use the modules of its own room, and common/
$(TEST_BINS): $(BUILD)/%: $(BUILD)/obj/%.o $(UNIT)
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(BUILD)/libcommon.a $(LDLIBS) -lcmocka
$(filter $(BUILD)/tests/unit/cgi-auth/%,$(TEST_BINS)): $(call modules,$(AUTH))
$(filter $(BUILD)/tests/unit/cgi-auth/%,$(TEST_BINS)): private LDLIBS += -loath
$(filter $(BUILD)/tests/unit/cgi-gateway/%,$(TEST_BINS)): $(call modules,$(GATEWAY))
$(filter $(BUILD)/tests/unit/cgi-gateway/%,$(TEST_BINS)): private LDLIBS += -lmagic
$(filter $(BUILD)/tests/unit/fcgi-probe/%,$(TEST_BINS)): $(call modules,$(PROBE))
# The store's system calls fail when the test wants it
$(BUILD)/tests/unit/cgi-gateway/test_store_disk: private LDFLAGS += -Wl,--wrap=write,--wrap=fsync,--wrap=renameat,--wrap=preadv2,--wrap=posix_fadvise
PARTIALS := $(addprefix $(BUILD)/tests/unit/cgi-gateway/,test_partial test_partial_finish)
$(BUILD)/tests/unit/cgi-gateway/test_handle_tus: private LDFLAGS += -Wl,--wrap=pwrite
$(PARTIALS): private LDFLAGS += -Wl,--wrap=pwrite,--wrap=fsync,--wrap=fdatasync,--wrap=ftruncate,--wrap=renameat

unit: $(TEST_BINS)

check: unit
	@failed=0; for t in $(TEST_BINS); do $$t || failed=1; done; exit $$failed

san:
	@$(MAKE) --no-print-directory SAN=1 BUILD=build/san all

lint:
	@scripts/lint

# What lint asks of each source, asked again only when it or its headers changed
ANALYZED := $(SOURCES:%.c=build/lint/%.analyzed)
TIDY     := $(SOURCES:%.c=build/lint/%.tidy)

build/lint/%.analyzed: %.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -fanalyzer -MMD -MP -MF $(@:.analyzed=.d) -MT $@ -c -o $@ $<

build/lint/%.tidy: build/lint/%.analyzed .clang-tidy
	@clang-tidy --quiet $*.c -- $(CPPFLAGS) -std=c17 -include common/banned.h 2>/dev/null && touch $@

analyzed: $(ANALYZED)
tidy: $(TIDY)
headers: # each stands alone
	@for h in $(wildcard common/*.h cgi-*/*.h fcgi-probe/*.h); do \
		$(CC) $(CPPFLAGS) -std=c17 -Wall -Wextra -Wno-unused-macros -Werror -include common/banned.h -fsyntax-only -include $$h -x c /dev/null || exit 1; \
	done

# --- fuzzing: needs clang and its runtime (scripts/setup --test) -----------------
# FUZZ_SECONDS for each harness; new inputs go to build/fuzz/corpus, never to git

FUZZ_SECONDS ?= 10
FUZZ_FLAGS   := -std=c17 -O1 -g -pthread -include common/banned.h -Wall -Wextra -Werror -Icgi-auth -Icgi-gateway -Ifcgi-probe \
                -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZ_ROOMS   := $(filter-out %/main.c %/admin.c $(wildcard cgi-*/cmd_*.c cgi-*/handle_*.c),$(SOURCES))

build/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	@clang $(CPPFLAGS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

# q, not r: both programs may have a module of the same name
build/fuzz/rooms.a: $(patsubst %.c,build/fuzz/obj/%.o,$(FUZZ_ROOMS))
	@rm -f $@ && ar qcs $@ $^

build/fuzz/%: build/fuzz/obj/tests/fuzz/fuzz_%.o build/fuzz/rooms.a
	@clang -fsanitize=fuzzer,address,undefined -pthread -o $@ $^ $(LDLIBS) -loath -lmagic

fuzzers: $(addprefix build/fuzz/,$(FUZZERS))

FUZZED := $(addprefix fuzzed-,$(FUZZERS))
fuzz:
	@$(MAKE) --no-print-directory -k $(FUZZED)
$(FUZZED): fuzzed-%: build/fuzz/%
	@mkdir -p build/fuzz/corpus/$*
	@if build/fuzz/$* -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -verbosity=1 \
		-artifact_prefix=build/fuzz/$*- build/fuzz/corpus/$* tests/fuzz/corpus/$* > build/fuzz/$*.log 2>&1; \
	then echo "ok - fuzz $*: $$(sed -n 's/^Done \([0-9]*\) runs.*/\1 runs/p' build/fuzz/$*.log)"; \
	else tail -n 60 build/fuzz/$*.log; echo "not ok - fuzz $*"; exit 1; fi

fuzz-long:
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=600

# --- installing ----------------------------------------------------------------

install: all
	@BUILD=$(BUILD) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) scripts/install

uninstall:
	@DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) scripts/install --uninstall

deb:
	@scripts/deb

# What to upload where there is nothing but Apache, CGI and one database
shared-hosting: all
	@deploy/shared-hosting/build $(BUILD) $(BUILD)/shared-hosting

clean:
	rm -rf $(BUILD)

FORCE:
.PHONY: all unit check san lint analyzed tidy headers fuzz $(FUZZED) fuzz-long fuzzers install uninstall deb shared-hosting clean FORCE
.SECONDARY:
-include $(shell find $(BUILD) build/fuzz build/lint -name '*.d' 2>/dev/null)
