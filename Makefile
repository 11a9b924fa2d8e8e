# Gatehouse. `make help` lists what can be made; CONTRIBUTING.md says more.

VERSION := 0.1.0
BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= gcc
PKG     ?= pkg-config
V       ?= 0
Q       := $(if $(filter-out 0,$(V)),,@)
# What is compiled and linked is printed a line a file, with -s not at all
SAY     := @$(if $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),:,echo)

# CPPFLAGS, CFLAGS and LDFLAGS are the caller's and come last, so `make CFLAGS=-O3`
# changes the optimisation and keeps warnings and hardening.
CFLAGS  ?= -O2 -g

PACKAGES := libsodium json-c libcrypto libmariadb zlib libutf8proc
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wvla -Wformat=2 -Wwrite-strings -Wpointer-arith -Wundef
# Includes are written from the root: #include "common/base/span.h"
OUR_CPPFLAGS := -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 -DGATEHOUSE_VERSION='"$(VERSION)"' -I. \
            $(patsubst -I%,-isystem %,$(shell $(PKG) --cflags $(PACKAGES)))
OUR_CFLAGS   := -std=c17 $(WARN) -Werror -fPIE -fstack-protector-strong -pthread -include common/base/banned.h
OUR_LDFLAGS  := -pie -Wl,-z,relro,-z,now,--as-needed -pthread
# One list for every program: the linker drops what a program does not call.
LIBS := $(shell $(PKG) --libs libsodium json-c libcrypto zlib libutf8proc) -lmysqlclient -lcrypt -lfcgi \
        -loath -lqrencode -lmagic -lcurl -lm

ifeq ($(SAN),1)
OUR_CFLAGS  += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# ASan defines crypt_r(), which calls that of libcrypt: the linker sees no need of it
OUR_LDFLAGS += -fsanitize=address,undefined -Wl,--no-as-needed,-lcrypt,--as-needed
else ifeq ($(SAN),thread)
OUR_CFLAGS  += -fsanitize=thread -fno-omit-frame-pointer
OUR_LDFLAGS += -fsanitize=thread
else ifeq ($(findstring -O0,$(CFLAGS))$(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),)
# Not without optimisation, of which glibc warns, nor where the caller sets a level
OUR_CPPFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif

COMPILE = $(CC) $(OUR_CPPFLAGS) $(OUR_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK    = $(CC) $(OUR_LDFLAGS) $(CFLAGS) $(LDFLAGS)

# --- what is built of what -----------------------------------------------------
# Every folder of a program goes into its archive, and a program is a main() with
# what it calls of its archive and of common/.

sources  = $(sort $(shell find $(1) -name '*.c'))
objects  = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
COMMON  := $(call sources,common)
AUTH    := $(call sources,cgi-auth)
GATEWAY := $(call sources,cgi-gateway)
SOURCES := $(COMMON) $(AUTH) $(GATEWAY)
HEADERS := $(sort $(shell find common cgi-auth cgi-gateway -name '*.h'))
MAINS   := %/main.c

PROGRAMS := cgi-auth auth-admin cgi-gateway gateway-admin
TESTS    := $(patsubst %.c,%,$(sort $(shell find tests/unit -name 'test_*.c')))
FUZZERS  := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

all: $(addprefix $(BUILD)/,$(PROGRAMS))

help:
	@echo 'make                         the programs, into $(BUILD)/'
	@echo 'make check                   the unit tests'
	@echo 'make lint                    floors, format, static analysis (scripts/lint --help)'
	@echo 'make san                     the programs under ASan and UBSan, into build/san/'
	@echo 'make fuzz, make fuzz-long    each fuzz harness for 10 seconds, for 10 minutes'
	@echo 'make install, uninstall      under PREFIX ($(PREFIX)), with DESTDIR before it'
	@echo 'make deb                     a Debian package'
	@echo 'make shared-hosting          a folder to upload where there is only Apache and CGI'
	@echo 'make clean                   removes $(BUILD)/'
	@echo
	@echo 'V=1           prints the commands'
	@echo '-s            prints errors only'
	@echo 'CFLAGS=-O3    changes the optimisation; warnings and hardening stay'
	@echo 'BUILD=DIR     builds in another folder'
	@echo 'SAN=1         with ASan and UBSan; SAN=thread: with TSan'

$(BUILD)/libcommon.a:  $(call objects,$(COMMON))
$(BUILD)/libauth.a:    $(call objects,$(filter-out $(MAINS),$(AUTH)))
$(BUILD)/libgateway.a: $(call objects,$(filter-out $(MAINS),$(GATEWAY)))
$(BUILD)/lib%.a:
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/cgi-auth:      $(BUILD)/obj/cgi-auth/main.o          $(BUILD)/libauth.a
$(BUILD)/auth-admin:    $(BUILD)/obj/cgi-auth/admin/main.o    $(BUILD)/libauth.a
$(BUILD)/cgi-gateway:   $(BUILD)/obj/cgi-gateway/main.o       $(BUILD)/libgateway.a
$(BUILD)/gateway-admin: $(BUILD)/obj/cgi-gateway/admin/main.o $(BUILD)/libgateway.a
# Moved into place whole: a server may start it again at any moment
$(addprefix $(BUILD)/,$(PROGRAMS)): $(BUILD)/libcommon.a
	$(SAY) "  LD $@"
	$(Q)$(LINK) -o $@.new $(filter-out %/libcommon.a,$^) $(BUILD)/libcommon.a $(LIBS) && mv $@.new $@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(SAY) "  CC $<"
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

# sync_file_range(2), preadv2(2) and F_OFD_SETLK are Linux's own
# memfd_create(2) too
DISK := obj/cgi-gateway/scan lint/cgi-gateway/scan obj/cgi-gateway/store/disk obj/tests/unit/cgi-gateway/store lint/cgi-gateway/store/disk
$(sort $(foreach d,$(DISK),$(BUILD)/$(d)/% build/$(d)/%)): private OUR_CPPFLAGS += -D_GNU_SOURCE
# MAP_ANONYMOUS and memmem() came to POSIX in 2024
POSIX_2024 := common/base/buffer_pool cgi-gateway/parse/multipart
$(foreach f,$(POSIX_2024),$(BUILD)/obj/$(f).% build/lint/$(f).%): private OUR_CPPFLAGS += -D_GNU_SOURCE

# madvise(2) and MAP_ANONYMOUS
STACK := common/base/worker_stack
$(sort $(foreach d,$(BUILD)/obj $(BUILD)/lint build/lint build/fuzz/obj,$(d)/$(STACK).%)): private OUR_CPPFLAGS += -D_GNU_SOURCE

# Other flags, another build: the file changes only when they do
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(LINK)' | cmp -s - $@ || echo '$(COMPILE) $(LINK)' > $@

# --- checks --------------------------------------------------------------------

TEST_BINS := $(addprefix $(BUILD)/,$(TESTS))

# A unit test may use common/ and the folders of its own program. Where it
# defines __wrap_CALL, the program's calls of CALL come to it.
$(filter $(BUILD)/tests/unit/cgi-auth/%,$(TEST_BINS)): $(BUILD)/libauth.a
$(filter $(BUILD)/tests/unit/cgi-gateway/%,$(TEST_BINS)): $(BUILD)/libgateway.a
$(filter $(BUILD)/tests/unit/cgi-gateway/%,$(TEST_BINS)): $(BUILD)/obj/tests/unit/cgi-gateway/store/store_memory.o
$(TEST_BINS): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/obj/tests/unit/transport_memory.o $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(SAY) "  LD $@"
	$(Q)$(LINK) $$(nm $(BUILD)/obj/$*.o | sed -n 's/.* T __wrap_/-Wl,--wrap=/p') -o $@ $(filter %.o,$^) \
		$(filter-out $(BUILD)/libcommon.a,$(filter %.a,$^)) $(BUILD)/libcommon.a $(LIBS) -lcmocka

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
	$(Q)$(COMPILE) -fanalyzer -MMD -MP -MF $(@:.analyzed=.d) -MT $@ -c -o $@ $<

build/lint/%.tidy: build/lint/%.analyzed .clang-tidy
	$(Q)clang-tidy --quiet $*.c -- $(OUR_CPPFLAGS) $(CPPFLAGS) -std=c17 -include common/base/banned.h 2>/dev/null && touch $@

analyzed: $(ANALYZED)
tidy: $(TIDY)
headers: # each stands alone
	@for h in $(HEADERS); do \
		$(CC) $(OUR_CPPFLAGS) $(CPPFLAGS) -std=c17 -O1 -Wall -Wextra -Wno-unused-macros -Werror -include common/base/banned.h -fsyntax-only -include $$h -x c /dev/null || exit 1; \
	done

# --- fuzzing: needs clang and its runtime (scripts/setup --test) -----------------
# FUZZ_SECONDS for each harness; new inputs go to build/fuzz/corpus, never to git

FUZZ_SECONDS ?= 10
FUZZ_FLAGS   := -std=c17 -O1 -g -pthread -include common/base/banned.h -Wall -Wextra -Werror \
                -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined

build/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)clang $(filter-out %_FORTIFY_SOURCE %_FORTIFY_SOURCE=2,$(OUR_CPPFLAGS)) $(CPPFLAGS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

build/fuzz/obj/cgi-gateway/scan/% build/fuzz/obj/cgi-gateway/store/disk/% $(POSIX_2024:%=build/fuzz/obj/%.o): private OUR_CPPFLAGS += -D_GNU_SOURCE

# q, not r: both programs may have a module of the same name
build/fuzz/gatehouse.a: $(patsubst %.c,build/fuzz/obj/%.o,$(filter-out $(MAINS),$(SOURCES)))
	@rm -f $@
	$(Q)ar qcs $@ $^

build/fuzz/%: build/fuzz/obj/tests/fuzz/fuzz_%.o build/fuzz/gatehouse.a
	$(Q)clang -fsanitize=fuzzer,address,undefined -pthread -o $@ $^ $(LIBS)

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

# A harness that runs once, for callgrind (tests/costs)
build/costs/%: build/obj/tests/fuzz/fuzz_%.o build/obj/tests/costs/run_input.o build/libgateway.a build/libauth.a build/libcommon.a
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ $(LIBS)

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
.PHONY: all help unit check san lint analyzed tidy headers fuzz $(FUZZED) fuzz-long fuzzers install uninstall deb shared-hosting clean FORCE
.SECONDARY:
-include $(shell find $(BUILD) build/fuzz build/lint -name '*.d' 2>/dev/null)
