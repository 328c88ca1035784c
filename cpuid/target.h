// SPDX-License-Identifier: MIT
//
// Target strings: which CPUs an image is compiled for.
//
//     list    = target { ";" target }
//     target  = cpu { "," word }
//     cpu     = a CPU of LLVM | "generic" | "native" | "sysimage" (first target only, and alone in it)
//     word    = [ "+" | "-" ] feature | [ "-" ] "clone_all" | "base(" number ")" | "opt_size" | "min_size"
//
// A later word wins over an earlier one, as for clang: `haswell,-avx2,+avx2` has avx2. The string "help" asks for
// the names instead. No blanks. Every mistake is an error that shows the place.
#ifndef CPUID_TARGET_H
#define CPUID_TARGET_H

#include "base/array.h"
#include "cpuid/detect.h"

enum { CPU_TARGETS_MAX = 64, CPU_TARGET_STRING_MAX = 8192 };

enum cpu_target_flag {
  CPU_TARGET_CLONE_ALL = 1u << 0,     ///< every function gets a body of this target
  CPU_TARGET_NO_CLONE_ALL = 1u << 1,  ///< `-clone_all`: only what profits, even where all would be the default
  CPU_TARGET_OPT_SIZE = 1u << 2,
  CPU_TARGET_MIN_SIZE = 1u << 3,
  CPU_TARGET_BASE = 1u << 4,    ///< `base(n)` was given
  CPU_TARGET_NATIVE = 1u << 5,  ///< written as `native`
};

struct cpu_target {
  char name[64];  ///< the CPU as it was written
  const struct cpu_model *model;
  struct cpu_features features;  ///< all that code of this target may use; what a machine must have to run it
  struct cpu_features off;       ///< what LLVM lists for the model, but this target does without
  unsigned flags;                ///< enum cpu_target_flag
  unsigned base;                 ///< the target whose bodies stand in for those that this one has not
  unsigned vector_bits;          ///< of the widest vectors
};

struct cpu_target_list {
  const struct cpu_isa *isa;
  unsigned count;
  bool help;  ///< the string was "help"; count is 0
  struct cpu_target targets[CPU_TARGETS_MAX];
};

struct cpu_target_request {
  const struct cpu_isa *isa;
  const struct cpu_host *host;  ///< for `native`; NULL, or one of another instruction set: refused
  const char *sysimage;         ///< the string that the base image was built for; NULL: there is no base image
  const char *what;             ///< names the string in errors
  const char *text;
};

PKGIMG_MUST_USE enum pkgimg_status cpu_targets_parse(const struct cpu_target_request *request,
                                                     struct cpu_target_list *list, struct pkgimg_error *error);

/// What LLVM takes as target-cpu and target-features: "+avx2,+fma,-xop".
struct cpu_target_text {
  const char *cpu;
  char features[4096];
};
void cpu_target_text(const struct cpu_isa *isa, const struct cpu_target *target, struct cpu_target_text *text);

/// The CPU's name as it was written, or the one that `native` stood for.
const char *cpu_target_name(const struct cpu_target *target);

/// The string, with its NUL, that gives the same targets on every machine: without `native` and `sysimage`,
/// features closed. Only the names that stood for `native` read differently.
PKGIMG_MUST_USE enum pkgimg_status cpu_targets_canonical(const struct cpu_target_list *list, struct buffer *text,
                                                         struct pkgimg_error *error);

/// Which string counts: the option if it is not NULL, else PKGIMG_CPU_TARGET, else JULIA_CPU_TARGET, unless they
/// are empty. `text` is NULL if there is none; `what` names the winner.
struct cpu_target_choice {
  const char *text, *what;
};
struct cpu_target_choice cpu_target_pick(const char *option);

/// Other names of CPUs: LLVM's name, or NULL.
const char *cpu_alias(const char *name, size_t length);

#endif
