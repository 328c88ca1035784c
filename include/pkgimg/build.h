// SPDX-License-Identifier: MIT
//
// libpkgimg-build: from sources, bitcode or LLVM modules in memory to a package image. This is
// the side that links LLVM and lld; nothing at load time needs it.
//
// Threads: builds may run in parallel, each with its own LLVM context; the link itself is
// serialised inside. Errors: as in pkgimg.h; messages of clang, LLVM and lld go to the
// diagnostic handler as they are.
#ifndef PKGIMG_BUILD_H
#define PKGIMG_BUILD_H

#include <pkgimg/capture.h>
#include <pkgimg/error.h>
#include <pkgimg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct LLVMOpaqueModule;  // LLVMModuleRef of the LLVM C API points to one

enum pkgimg_check_bounds {
  PKGIMG_CHECK_BOUNDS_AUTO,  ///< keep the checks that the front end asked for
  PKGIMG_CHECK_BOUNDS_YES,   ///< check every access whose object's size LLVM can see
  PKGIMG_CHECK_BOUNDS_NO,    ///< remove checks
};

enum pkgimg_emit {
  PKGIMG_EMIT_IMAGE,
  PKGIMG_EMIT_OBJECT,    ///< the optimised object, before lld
  PKGIMG_EMIT_BITCODE,   ///< the optimised module
  PKGIMG_EMIT_ASSEMBLY,  ///< the same as the object, as text
};

/// A list of strings that the caller owns.
struct pkgimg_strings {
  const char *const *items;
  size_t count;
};

/// Types and methods that a front end states beside its modules. Records may refer to one another by address;
/// `type` and `code` in them are not used.
struct pkgimg_build_types {
  const struct pkgimg_type_record *types;
  size_t type_count;
  /// For each type the name of its word, or NULL: modules may declare it, `@NAME = external global ptr`, and load
  /// the address of the type's object from it. NULL: no type has a name.
  const char *const *type_symbols;
  const struct pkgimg_method_record *methods;
  size_t method_count;
  const char *const *method_symbols;  ///< for each method the function of the modules that it is
};

/// Start from PKGIMG_BUILD_OPTIONS_INIT and set what differs.
struct pkgimg_build_options {
  size_t size;                     ///< sizeof(struct pkgimg_build_options)
  const char *name;                ///< the package; letters, digits and . _ + -; not the first a dot or -
  const char *output;              ///< path of the result; NULL: NAME.so (.o, .bc, .s) in the working folder
  const char *init;                ///< function that pkgimg_init runs, `void f(void)`; NULL: none
  const char *precompile;          ///< function whose result the image starts from, `void f(void)`; NULL: none
  unsigned precompile_limit;       ///< seconds that one run of it may take; 0: any number
  int compress;                    ///< store what it leaves compressed (Zstandard): a smaller file, a slower load
  struct pkgimg_strings roots;     ///< variables that pkgimg_root finds by name
  const struct pkgimg_graph *graph;  ///< objects of this process that the image starts with; NULL: none
  struct pkgimg_strings deps;      ///< image files, or NAMEs looked for in dep_path
  struct pkgimg_strings dep_path;  ///< folders; the output's own folder is searched last
  struct pkgimg_strings exports;   ///< globs of symbols to export; empty: all with default visibility
  struct pkgimg_strings cflags;    ///< for clang, one argument each
  struct pkgimg_strings libs;      ///< further host libraries, such as "libcurl.so.4"
  unsigned optimize;               ///< 0 to 3
  unsigned debug;                  ///< 0 to 3, as clang's -g
  int inline_functions;            ///< 0: keep every function apart (always_inline excepted)
  enum pkgimg_check_bounds check_bounds;
  enum pkgimg_emit emit;
  const char *cpu_target;  ///< target string (docs/targets.md); NULL: that of PKGIMG_CPU_TARGET or
                           ///< JULIA_CPU_TARGET, else x86-64
  int sysimage;            ///< make a system image: no deps; at most one is in the closure of any image
  const char *folder;      ///< sources and -I are relative to it; NULL: the working folder
  const char *front_end;   ///< path of clang 19; NULL: the one found when pkgimg was built
  int link_in_child;       ///< run lld as a child process instead of in this one
  void (*diagnostic)(void *context, const char *text);  ///< a line or several; NULL: standard error
  void *diagnostic_context;
  const struct pkgimg_build_types *types;  ///< beside those of the sources; NULL: none
  int debug_types;  ///< with debug information: state exported functions and their types (docs/types.md)
};
/// A precompile_limit of the manifest's, or else of 300 seconds.
#define PKGIMG_LIMIT_DEFAULT (~0u)
#define PKGIMG_BUILD_OPTIONS_INIT                                                                                 \
  {                                                                                                               \
    .size = sizeof(struct pkgimg_build_options), .optimize = 2, .inline_functions = 1,                            \
    .precompile_limit = PKGIMG_LIMIT_DEFAULT, .debug_types = 1                                                    \
  }

/// Build from files: .c, .cc, .cpp, .cxx, .ll, .bc, or folders, of which all such files are taken,
/// sorted by name.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_build_files(const struct pkgimg_build_options *options,
                                                                    const char *const *files, size_t count,
                                                                    struct pkgimg_error *error);

/// Build from a manifest (UCL). Members of `overrides` that are set win over the manifest's
/// keys (lists are appended); see docs/manifest.md.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_build_manifest(
    const char *path, const struct pkgimg_build_options *overrides, struct pkgimg_error *error);

/// Bytes that a build made; free them with pkgimg_buffer_deinit.
struct pkgimg_buffer {
  void *data;
  size_t size;
};
PKGIMG_PUBLIC void pkgimg_buffer_deinit(struct pkgimg_buffer *buffer);

/// Build from LLVM modules that live in one context, for hosts that compile in memory. The
/// modules are consumed, whatever the result. The image goes to `result` when it is not NULL,
/// else to options->output.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_build_modules(const struct pkgimg_build_options *options,
                                                                      struct LLVMOpaqueModule *const *modules,
                                                                      size_t count, struct pkgimg_buffer *result,
                                                                      struct pkgimg_error *error);

#ifdef __cplusplus
}
#endif
#endif
