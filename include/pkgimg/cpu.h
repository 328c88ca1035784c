// SPDX-License-Identifier: MIT
//
// What this machine's processor can run, and which processors a target string asks for. Loading chooses by itself;
// this is for programs that want to know, or to explain.
//
//     struct pkgimg_cpu *cpu;
//     struct pkgimg_cpu_targets *targets;
//     if (pkgimg_cpu_open(NULL, &cpu, &error) == PKGIMG_OK &&
//         pkgimg_cpu_targets_open(cpu, "generic;haswell,-rdrnd;skylake-avx512", NULL, &targets, &error) ==
//         PKGIMG_OK)
//
// A target string is `cpu[,word]...[;cpu...]`. `cpu` is a name of LLVM, `generic`, `native`, or, as the first
// target, `sysimage`. A word is a feature with or without + or -, `clone_all`, `-clone_all`, `base(n)`, `opt_size`
// or `min_size`. The whole string `help` asks for names; pkgimg_cpu_names lists them.
//
// Features have LLVM's names. A CPU's name asks for what LLVM may emit for it and for what programs compute with;
// features about privilege, caches, power, tracing or threads (`sgx`, `pku`, `shstk`, `xsaves`...), which
// hypervisors hide at will, count only where a target names them. Tuning never counts.
//
// A mask, `avx2,avx512f` or `-avx2`, hides features and all that need them, as if the machine had none of them.
//
// Errors in strings are PKGIMG_INVALID_ARGUMENT; `text` then has three lines: the message, the string, and a mark
// under the place; `offset` is the place and `name` the option or variable.
//
// Threads: objects do not change once they are open. Strings live as long as their object.
#ifndef PKGIMG_CPU_H
#define PKGIMG_CPU_H

#include <pkgimg/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pkgimg_cpu;

struct pkgimg_cpu_info {
  const char *architecture;  ///< "x86-64" or "aarch64"
  const char *vendor;        ///< "GenuineIntel"
  const char *brand;         ///< what the processor calls itself; may be ""
  unsigned family, model, stepping;
  const char *llvm_name;  ///< the closest CPU that LLVM knows and this machine can run
  unsigned vector_bits;   ///< of the widest vectors
  size_t features;        ///< features that programs can use
  size_t hidden;          ///< features that the machine has and the mask hides
};

/// Look at this machine. `mask` NULL: the one in the variable PKGIMG_CPU_MASK; "" hides nothing. Close it with
/// pkgimg_cpu_close.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_cpu_open(const char *mask, struct pkgimg_cpu **cpu,
                                                                 struct pkgimg_error *error);
/// NULL is allowed. Targets that were opened with it live on.
PKGIMG_PUBLIC void pkgimg_cpu_close(struct pkgimg_cpu *cpu);
PKGIMG_PUBLIC const struct pkgimg_cpu_info *pkgimg_cpu_info(const struct pkgimg_cpu *cpu);
/// Names, by an index below info->features and info->hidden; NULL beyond.
PKGIMG_PUBLIC const char *pkgimg_cpu_feature(const struct pkgimg_cpu *cpu, size_t index);
PKGIMG_PUBLIC const char *pkgimg_cpu_hidden(const struct pkgimg_cpu *cpu, size_t index);

/// The target string that counts: `option` if it is not NULL, else PKGIMG_CPU_TARGET, else JULIA_CPU_TARGET,
/// unless they are empty. NULL: none.
PKGIMG_PUBLIC const char *pkgimg_cpu_target_string(const char *option);

/// Bits of pkgimg_cpu_target.flags.
enum {
  PKGIMG_CPU_CLONE_ALL = 1u << 0,
  PKGIMG_CPU_NO_CLONE_ALL = 1u << 1,
  PKGIMG_CPU_OPT_SIZE = 1u << 2,
  PKGIMG_CPU_MIN_SIZE = 1u << 3,
};

/// One target of a string.
struct pkgimg_cpu_target {
  const char *name;           ///< the CPU as written
  const char *llvm_cpu;       ///< what LLVM takes as target-cpu
  const char *llvm_features;  ///< and as target-features: "+avx2,+fma,-xop"
  const char *features;       ///< all features that its code may use, separated by blanks
  unsigned flags;
  unsigned base;         ///< the target that stands in where this one has no body
  unsigned vector_bits;  ///< of its widest vectors
  int usable;            ///< this machine can run it, and its vectors are not too wide
  int chosen_rank;       ///< 1: the first choice on this machine; 0: not usable
  const char *missing;   ///< features that this machine lacks, separated by blanks; ""
};

struct pkgimg_cpu_targets_options {
  size_t size;               ///< sizeof(struct pkgimg_cpu_targets_options)
  const char *what;          ///< names the string in errors; NULL: "--cpu-target"
  const char *architecture;  ///< of the targets; NULL: this machine's
  const char *sysimage;      ///< the system image's own target string, for `sysimage`; NULL: there is none
  unsigned max_vector_bits;  ///< 0: no limit
};

struct pkgimg_cpu_targets;
/// Read a target string. `options` may be NULL. The string `help` is read as no targets.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_cpu_targets_open(
    const struct pkgimg_cpu *cpu, const char *string, const struct pkgimg_cpu_targets_options *options,
    struct pkgimg_cpu_targets **targets, struct pkgimg_error *error);
PKGIMG_PUBLIC void pkgimg_cpu_targets_close(struct pkgimg_cpu_targets *targets);
PKGIMG_PUBLIC size_t pkgimg_cpu_targets_count(const struct pkgimg_cpu_targets *targets);
/// NULL beyond the last one.
PKGIMG_PUBLIC const struct pkgimg_cpu_target *pkgimg_cpu_targets_at(const struct pkgimg_cpu_targets *targets,
                                                                    size_t index);

/// The CPUs and the features that target strings for an architecture (NULL: this machine's) may name, one after
/// the other; NULL beyond the last one, or if there is no such architecture.
PKGIMG_PUBLIC const char *pkgimg_cpu_name(const char *architecture, size_t index);
PKGIMG_PUBLIC const char *pkgimg_cpu_feature_name(const char *architecture, size_t index);

#ifdef __cplusplus
}
#endif
#endif
