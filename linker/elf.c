// SPDX-License-Identifier: MIT
//
// ELF: the linker script that puts each kind of section into its area, and lld's arguments.
#include "linker/linker.h"

#include "format/layout.h"
#include "linker/emitted.h"
#include "linker/lld.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The note is only reserved here (its name and type filled in, so that it is found); whoever
// finishes the image writes it. The unwind table ends with a zero word, as __register_frame_info
// needs and crtend.o otherwise provides. L fills its last page in memory, because ld.so only protects
// whole ones.
static const char script_format[] =
    "PHDRS {\n"
    "  constants PT_LOAD FILEHDR PHDRS FLAGS(4);\n"
    "  code PT_LOAD FLAGS(5);\n"
    "  relro PT_LOAD FLAGS(6);\n"
    "  data PT_LOAD FLAGS(6);\n"
    "  dynamic PT_DYNAMIC FLAGS(6);\n"
    "  gnu_relro PT_GNU_RELRO FLAGS(4);\n"
    "  tls PT_TLS FLAGS(4);\n"
    "  notes PT_NOTE FLAGS(4);\n"
    "  unwind PT_GNU_EH_FRAME FLAGS(4);\n"
    "  stack PT_GNU_STACK FLAGS(6);\n"
    "}\n"
    "SECTIONS {\n"
    "  . = SIZEOF_HEADERS;\n"
    "  . = ALIGN(8);\n"
    "  .note.pkgimg : {\n"
    "    LONG(%zu) LONG(%zu) LONG(%u) QUAD(0x%llx) LONG(0x%x)\n"
    "    . += %zu;\n"
    "  } :constants :notes\n"
    "  .note.gnu.build-id : { *(.note.gnu.build-id) } :constants :notes\n"
    "  .dynsym : { *(.dynsym) } :constants\n"
    "  .gnu.version : { *(.gnu.version) }\n"
    "  .gnu.version_d : { *(.gnu.version_d) }\n"
    "  .gnu.version_r : { *(.gnu.version_r) }\n"
    "  .gnu.hash : { *(.gnu.hash) }\n"
    "  .dynstr : { *(.dynstr) }\n"
    "  .rela.dyn : { *(.rela.dyn) }\n"
    "  .rela.plt : { *(.rela.plt) }\n"
    "  .rodata : { *(.rodata .rodata.*) }\n"
    "  %s\n"
    "  .eh_frame_hdr : { *(.eh_frame_hdr) } :constants :unwind\n"
    "  .eh_frame : { KEEP(*(.eh_frame)) LONG(0) } :constants\n"
    "  .gcc_except_table : { *(.gcc_except_table .gcc_except_table.*) }\n"
    "%s"
    "  . = ALIGN(%u);\n"
    "  .text : { *(.text .text.*) } :code\n"
    "  .plt : { *(.plt) }\n"
    "  .plt.got : { *(.plt.got) }\n"
    "  .iplt : { *(.iplt) }\n"
    "  . = 0x%llx;\n"
    "  .tdata : { *(.tdata .tdata.*) } :relro :tls :gnu_relro\n"
    "  .tbss : { *(.tbss .tbss.*) } :relro :tls :gnu_relro\n"
    "  .init_array : { KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*))) KEEP(*(.init_array)) } :relro :gnu_relro\n"
    "  .fini_array : { KEEP(*(SORT_BY_INIT_PRIORITY(.fini_array.*))) KEEP(*(.fini_array)) }\n"
    "  .data.rel.ro : { *(.data.rel.ro .data.rel.ro.*) }\n"
    "  pkgimg_types : { KEEP(*(pkgimg_types)) }\n"
    "  pkgimg_methods : { KEEP(*(pkgimg_methods)) }\n"
    "  .dynamic : { *(.dynamic) } :relro :dynamic :gnu_relro\n"
    "  .got : { *(.got) } :relro :gnu_relro\n"
    "  .got.plt : { *(.got.plt) }\n"
    "  .relro_padding (NOLOAD) : { . = ALIGN(%u); }\n"
    "  . = 0x%llx;\n"
    "  .data : { *(.data .data.*) } :data\n"
    "  .bss : { *(.bss .bss.* COMMON) }\n"
    "  .pkgimg.tables 0 (INFO) : { BYTE(0) }\n"
    "}\n";

// The code of each target has pages of its own, so that what no processor of this kind runs is never
// read.
static void target_sections(size_t count, char *text, size_t size)
{
  text[0] = 0;
  for (size_t i = 0, at = 0; i < count && at < size; i++)
    at += (size_t)snprintf(text + at, size - at, "  . = ALIGN(%u);\n  .text.target%zu : { *(.text.target%zu) } :code\n",
                           FORMAT_PAGE, i, i);
}

static enum pkgimg_status write_script(const struct link_request *request, const struct scratch *scratch,
                                       struct pkgimg_error *error)
{
  char targets[64 * 80], types[64] = "", text[sizeof script_format + sizeof targets + sizeof types + 256];
  if (request->types_size)
    snprintf(types, sizeof types, ".pkgimg.types : ALIGN(8) { BYTE(0) . += %zu; }", request->types_size - 1);
  target_sections(request->target_count, targets, sizeof targets);
  uint64_t name;
  uint32_t name_rest;
  memcpy(&name, FORMAT_NOTE_NAME, 8);
  memcpy(&name_rest, &FORMAT_NOTE_NAME[8], 4);
  int length = snprintf(text, sizeof text, script_format, sizeof FORMAT_NOTE_NAME, sizeof(struct disk_header),
                        FORMAT_NOTE_TYPE, (unsigned long long)name, name_rest, sizeof(struct disk_header), types, targets,
                        FORMAT_PAGE, FORMAT_L_START, FORMAT_PAGE, FORMAT_W_START);
  return scratch_write(scratch, "script", (struct span){(const uint8_t *)text, (size_t)length}, error);
}

// Libraries of the host that any program may use. They only lend names and symbol versions: with
// --as-needed, one that nothing uses leaves no trace.
static const char *const host_libraries[] = {"libc.so.6", "libc_nonshared.a", "ld-linux-x86-64.so.2",
                                             "libm.so.6", "libgcc_s.so.1",    "libstdc++.so.6"};
static const char *const host_folders[] = {
    "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"};

// Append the full path of a host library; false when no folder has it.
static bool add_host_library(struct string_list *arguments, const char *name)
{
  char path[512];
  for (size_t i = 0; i < sizeof host_folders / sizeof *host_folders; i++) {
    snprintf(path, sizeof path, "%s/%s", host_folders[i], name);
    if (access(path, R_OK) == 0)
      return string_list_add(arguments, NULL, "%s", path) == PKGIMG_OK;
  }
  return false;
}

static enum pkgimg_status add_libraries(const struct link_request *request, struct string_list *arguments,
                                        struct pkgimg_error *error)
{
  // Dependencies stand before the host's libraries: their symbols win, as they do at load time.
  TRY(string_list_add(arguments, error, "--no-as-needed"));
  for (size_t i = 0; i < request->dep_count; i++)
    TRY(string_list_add(arguments, error, "%s", request->deps[i]));
  TRY(string_list_add(arguments, error, "--as-needed"));
  for (size_t i = 0; i < request->lib_count; i++) {
    const char *lib = request->libs[i];
    if (strchr(lib, '/'))
      TRY(string_list_add(arguments, error, "%s", lib));
    else if (!add_host_library(arguments, lib))
      return fail_name(error, PKGIMG_NOT_FOUND, request->name, lib, "no such library on this host");
  }
  for (size_t i = 0; i < sizeof host_libraries / sizeof *host_libraries; i++)
    add_host_library(arguments, host_libraries[i]);
  return PKGIMG_OK;
}

static enum pkgimg_status add_fixed(struct string_list *arguments, struct pkgimg_error *error)
{
  // A symbol that nobody on this host defines may still come from the program that loads the image:
  // a warning. The build id is 16 zero bytes until the image is finished. -Bsymbolic-non-weak: an image's own
  // definitions are its own, but a weak (vague) definition may yield to a dependency's. Relocations that the linker has
  // applied tell where code asks for words; they do not stay in the file.
  static const char *const fixed[] = {
      "-shared",
      "--emit-relocs",
      "--eh-frame-hdr",
      "--hash-style=gnu",
      "-z",
      "now",
      "-z",
      "relro",
      "-z",
      "nodelete",
      "-z",
      "max-page-size=4096",
      "-Bsymbolic-non-weak",
      "--exclude-libs",
      "ALL",
      "--build-id=0x00000000000000000000000000000000",
      "--enable-new-dtags",
      "-rpath",
      "$ORIGIN",
      "--no-gnu-unique",
      "-z",
      "defs",
      "--warn-unresolved-symbols",
  };
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    TRY(string_list_add(arguments, error, "%s", fixed[i]));
  return PKGIMG_OK;
}

static enum pkgimg_status make_arguments(const struct link_request *request, const struct scratch *scratch,
                                         struct string_list *arguments, struct pkgimg_error *error)
{
  TRY(string_list_add(arguments, error, "ld.lld"));
  TRY(add_fixed(arguments, error));
  if (request->captured) {
    TRY(string_list_add(arguments, error, "-z"));
    TRY(string_list_add(arguments, error, "nodlopen"));
  }
  TRY(string_list_add(arguments, error, "--script=%s/script", scratch->path));
  TRY(string_list_add(arguments, error, "--soname=%s.so", request->name));
  TRY(string_list_add(arguments, error, "-o"));
  TRY(string_list_add(arguments, error, "%s/output", scratch->path));
  for (size_t i = 0; i < request->object_count; i++)
    TRY(string_list_add(arguments, error, "%s/%zu.o", scratch->path, i));
  return add_libraries(request, arguments, error);
}

static enum pkgimg_status write_inputs(const struct link_request *request, const struct scratch *scratch,
                                       struct pkgimg_error *error)
{
  TRY(write_script(request, scratch, error));
  for (size_t i = 0; i < request->object_count; i++) {
    char name[32];
    snprintf(name, sizeof name, "%zu.o", i);
    TRY(scratch_write(scratch, name, request->objects[i], error));
  }
  return PKGIMG_OK;
}

static void keep_report(void *context, const char *text, size_t size)
{
  // A report that does not fit in memory is lost; the link's own result is not.
  (void)!buffer_append(context, text, size, NULL);
}

// Once lld says that it may not be called again in this process, every later link is a child.
static int run_here(const struct string_list *arguments, struct buffer *report, bool *impossible)
{
  static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
  static bool spent;
  struct lld_result result = {.code = 1};
  pthread_mutex_lock(&turn);
  *impossible = spent;
  if (!spent) {
    result = lld_run((const char *const *)arguments->items, arguments->count, keep_report, report);
    spent = !result.reusable;
  }
  pthread_mutex_unlock(&turn);
  return result.code;
}

static enum pkgimg_status run_lld(const struct link_request *request, struct string_list *arguments,
                                  struct pkgimg_error *error)
{
  struct buffer report AUTO(buffer_deinit) = {0};
  bool impossible = request->in_child;
  int code = request->in_child ? 1 : run_here(arguments, &report, &impossible);
  if (impossible) {
    // The program itself goes by its versioned name, lest an older one be found first.
    char *in_process = arguments->items[0];
    char versioned[] = "ld.lld-19";
    arguments->items[0] = versioned;
    enum pkgimg_status status = child_run(arguments->items, NULL, 0, &report, &code, error);
    arguments->items[0] = in_process;
    TRY(status);
  }
  diagnose(&request->diagnostics, &report);
  if (code != 0)
    return fail_name(error, PKGIMG_LINK, NULL, request->name, "lld failed with code %d", code);
  return PKGIMG_OK;
}

void link_fields_deinit(struct link_fields *fields)
{
  free(fields->items);
}

enum pkgimg_status link_elf(const struct link_request *request, struct buffer *output, struct link_fields *fields,
                            struct pkgimg_error *error)
{
  struct scratch scratch AUTO(scratch_deinit) = {0};
  struct string_list arguments AUTO(string_list_deinit) = {0};
  char path[sizeof scratch.path + 16];
  TRY(scratch_init(&scratch, error));
  TRY(write_inputs(request, &scratch, error));
  TRY(make_arguments(request, &scratch, &arguments, error));
  TRY(run_lld(request, &arguments, error));
  snprintf(path, sizeof path, "%s/output", scratch.path);
  TRY(file_read(path, output, error));
  return emitted_take(request->name, output, fields, error);
}
