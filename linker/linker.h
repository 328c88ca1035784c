// SPDX-License-Identifier: MIT
//
// From objects to one ELF shared object whose parts lie in the areas of the format; and the build
// side's use of the operating system: scratch folders, child processes, finished files. Nothing
// here knows what an image's tables hold.
#ifndef LINKER_LINKER_H
#define LINKER_LINKER_H

#include "base/array.h"
#include "base/reader.h"

/// Where messages of tools go.
struct diagnostics {
  void (*handle)(void *context, const char *text);
  void *context;
};

struct link_request {
  const char *name;  ///< the package: NAME.so becomes DT_SONAME
  const struct span *objects;
  size_t object_count;
  size_t target_count;      ///< sections .text.target0 and up, each in pages of its own; 0: none
  const char *const *deps;  ///< image files of dependencies
  size_t dep_count;
  const char *const *libs;  ///< further libraries of the host, as "libcurl.so.4" or a path
  size_t lib_count;
  bool captured;  ///< its data will depend on our loader: ld.so is to refuse it
  bool in_child;  ///< run lld as a process of its own
  struct diagnostics diagnostics;
  size_t types_size;  ///< room for `.pkgimg.types` in R
};

/// Addresses of fields of instructions that asked the linker for a word of the global offset table
/// (R_X86_64_GOTPCRELX, R_X86_64_REX_GOTPCRELX). It may have found a shorter way.
struct link_fields {
  uint64_t *items;
  size_t count, capacity;
};
void link_fields_deinit(struct link_fields *fields);

/// Link. `output` receives the file, `fields` all fields of its code; nothing stays on disk. May be called from any
/// thread; links take turns.
PKGIMG_MUST_USE enum pkgimg_status link_elf(const struct link_request *request, struct buffer *output,
                                            struct link_fields *fields, struct pkgimg_error *error);

/// A folder for temporary files, under $TMPDIR or /tmp. Zero-initialise it.
struct scratch {
  char path[256];
};
PKGIMG_MUST_USE enum pkgimg_status scratch_init(struct scratch *scratch, struct pkgimg_error *error);
/// Remove the folder with the files in it. A zero scratch is allowed.
void scratch_deinit(struct scratch *scratch);

/// Run a program with `arguments` (NULL-terminated, the program first, found along PATH) in
/// `folder` (NULL: here). `output` receives standard output and standard error together;
/// `exit_code` the result, 128 + N after signal N. After `limit` seconds (0: there is no limit) the program is
/// killed; the result is then CHILD_TIMEOUT.
PKGIMG_MUST_USE enum pkgimg_status child_run(char *const *arguments, const char *folder, unsigned limit,
                                             struct buffer *output, int *exit_code, struct pkgimg_error *error);
#define CHILD_TIMEOUT 1000

/// Read a file as a whole.
PKGIMG_MUST_USE enum pkgimg_status file_read(const char *path, struct buffer *contents,
                                             struct pkgimg_error *error);
/// Make a file appear at once and as a whole: a temporary name beside it, synced, renamed.
PKGIMG_MUST_USE enum pkgimg_status file_publish(const char *path, struct span contents, unsigned mode,
                                                struct pkgimg_error *error);
/// The same for a file of several parts, written in pieces of 2 MiB, so that the page cache may keep them in huge pages.
/// Zeros at the end of a piece are a hole: nothing to read, and nothing on the disk.
PKGIMG_MUST_USE enum pkgimg_status file_publish_parts(const char *path, const struct span *parts, size_t count,
                                                      unsigned mode, struct pkgimg_error *error);
/// Write a file in a scratch folder.
PKGIMG_MUST_USE enum pkgimg_status scratch_write(const struct scratch *scratch, const char *name,
                                                 struct span contents, struct pkgimg_error *error);

/// Hand a tool's output on, if there is any.
void diagnose(const struct diagnostics *diagnostics, const struct buffer *output);

#endif
