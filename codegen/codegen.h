// SPDX-License-Identifier: MIT
//
// LLVM: modules -> optimised objects, one or more for each target. Knows nothing of files, images or the
// linker.
#ifndef CODEGEN_CODEGEN_H
#define CODEGEN_CODEGEN_H

#include "base/array.h"
#include "base/reader.h"

#include <llvm-c/Types.h>
#include <pkgimg/build.h>
#include <stdbool.h>

enum codegen_check_bounds { CODEGEN_CHECK_AUTO, CODEGEN_CHECK_YES, CODEGEN_CHECK_NO };
enum codegen_product {
  CODEGEN_OBJECTS,  ///< to be linked together, as many as pay off
  CODEGEN_OBJECT,
  CODEGEN_BITCODE,
  CODEGEN_ASSEMBLY
};

/// A kind of processor that functions are compiled for. Target 0 is the baseline: every function
/// has a body for it.
struct codegen_target {
  const char *cpu;       ///< LLVM's name
  const char *features;  ///< LLVM's string, "+avx2,+fma"
  bool clone_all;        ///< clone every function, not only those that may gain
  bool adds_vectors;     ///< against the baseline: wider or better vectors
  bool adds_math;        ///< fused multiply-add
  bool adds_half;        ///< arithmetic on half or bfloat
  bool adds_bits;        ///< instructions that count bits
  bool size, min_size;   ///< opt_size, min_size
};
#define CODEGEN_MAX_TARGETS 64

struct codegen_options {
  const char *name;            ///< becomes the module's identity, whatever its sources were called
  const char *const *exports;  ///< globs; none: every symbol of default visibility stays exported
  size_t export_count;
  const char *const *keep;  ///< symbols that stay exported whatever the globs say
  size_t keep_count;
  unsigned optimize;  ///< 0 to 3
  bool inline_functions;
  enum codegen_check_bounds check_bounds;
  enum codegen_product product;
  const struct codegen_target *targets;  ///< none: x86-64
  size_t target_count;
  size_t threads;  ///< how many of several objects are made at once; 0 and 1: one after the other
  bool take_records;                          ///< of types and methods: they go to the result
  bool debug_types;                           ///< with those that debug information tells of
  const struct pkgimg_build_types *declared;  ///< beside those of the modules; may be NULL
};

/// A function with several bodies. The one of target T is the local symbol NAME.targetT; NAME itself
/// is a weak symbol, the baseline's body, whose every reference from outside of a target's group
/// is a dynamic relocation.
struct codegen_clone {
  char *name;
  uint64_t bodies;  ///< bit T: target T has one; bit 0 is set
  bool weak;        ///< it was weak in the source
};

/// Records of <pkgimg/types.h> that the modules held, or that their debug information told of.
struct codegen_records {
  struct pkgimg_type_record *types;
  struct pkgimg_method_record *methods;
  size_t type_count, method_count;
  struct string_list strings;  ///< names in them; others are the modules' context's
};

struct codegen_result {
  struct buffer *products;  ///< one; or objects: first those of targets, then those with all else
  size_t product_count;
  struct codegen_clone *clones;  ///< sorted by name
  size_t clone_count, clone_capacity;
  struct codegen_records records;
  struct codegen_records debug_records;  ///< their types have no words; methods' words come last
};
void codegen_result_deinit(struct codegen_result *result);

/// Parse IR or bitcode. `bytes` need not end with a NUL. The module belongs to the context.
PKGIMG_MUST_USE enum pkgimg_status codegen_parse(LLVMContextRef context, const char *file, struct span bytes,
                                                 LLVMModuleRef *module, struct pkgimg_error *error);

/// Merge the modules (consumed, whatever the result), optimise, and emit. They all live in one
/// context, which one thread uses at a time; contexts are independent of each other.
PKGIMG_MUST_USE enum pkgimg_status codegen_run(const struct codegen_options *options, LLVMModuleRef const *modules,
                                               size_t count, struct codegen_result *result,
                                               struct pkgimg_error *error);

#endif
