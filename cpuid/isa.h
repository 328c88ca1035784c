// SPDX-License-Identifier: MIT
//
// What is known of the instruction sets that images are made for: features, what they imply, and LLVM's CPUs. Both
// sets are in every build, so that one machine can read target strings and images for the other. Tuning is no
// feature and does not occur here. Knows nothing of the machine that it runs on.
#ifndef CPUID_ISA_H
#define CPUID_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A set of features of one instruction set; bit numbers as in features.def, the same in image files.
#define CPU_FEATURE_WORDS 4u
#define CPU_FEATURE_LIMIT (64u * CPU_FEATURE_WORDS)
struct cpu_features {
  uint64_t words[CPU_FEATURE_WORDS];
};

enum cpu_use { CPU_USE_CODE, CPU_USE_SYSTEM };  ///< see features.def

struct cpu_feature {
  const char *name;   ///< LLVM's
  const char *alias;  ///< clang's in -march=...+NAME, "-" if it has none; NULL on x86-64
  uint16_t width;     ///< bits of its widest vectors, 0 if it has none
  uint8_t use;        ///< enum cpu_use
};

struct cpu_model {
  const char *name;              ///< LLVM's -mcpu
  struct cpu_features features;  ///< all that LLVM lists
};

struct cpu_isa {
  const char *name;     ///< "x86-64", "aarch64"
  const char *generic;  ///< the CPU that `generic` means
  const struct cpu_feature *features;
  unsigned feature_count;
  const struct cpu_features *implies;     ///< [feature]: what it brings with it, itself included
  const struct cpu_features *implied_by;  ///< [feature]: what goes with it, itself included
  const struct cpu_model *models;
  unsigned model_count;
  struct cpu_features baseline;  ///< every such machine has these
};

extern const struct cpu_isa cpu_isa_x86_64, cpu_isa_aarch64;

/// The instruction set of an e_machine, NULL if there is none; and the one that this code runs on.
const struct cpu_isa *cpu_isa_of_machine(unsigned machine);
const struct cpu_isa *cpu_isa_host(void);

/// Names need no NUL. A feature's number or -1; a model or NULL.
int cpu_feature_find(const struct cpu_isa *isa, const char *name, size_t length);
const struct cpu_model *cpu_model_find(const struct cpu_isa *isa, const char *name, size_t length);

/// The features of a use.
struct cpu_features cpu_features_of_use(const struct cpu_isa *isa, enum cpu_use use);
/// What asking for a model asks for: what LLVM lists, but for SYSTEM features.
struct cpu_features cpu_model_needs(const struct cpu_isa *isa, const struct cpu_model *model);
/// Turn a feature on, with what it needs.
void cpu_features_enable(const struct cpu_isa *isa, struct cpu_features *set, unsigned feature);
/// Turn a feature off, with what implies it.
void cpu_features_disable(const struct cpu_isa *isa, struct cpu_features *set, unsigned feature);
/// What LLVM adds to a feature by default, though it does not need it: sse4.2 brings popcnt, avx brings xsave.
struct cpu_features cpu_feature_defaults(const struct cpu_isa *isa, unsigned feature);
/// Bits of the widest vectors of a set; at least 128 on both instruction sets.
unsigned cpu_features_width(const struct cpu_isa *isa, const struct cpu_features *set);
/// Names of a set, separated by `separator`; the end is cut off if there is no room. Returns `text`.
char *cpu_features_text(const struct cpu_isa *isa, const struct cpu_features *set, const char *separator,
                        char *text, size_t size);

// ---- sets

static inline bool cpu_has(const struct cpu_features *set, unsigned feature)
{
  return set->words[feature / 64] >> feature % 64 & 1;
}

static inline void cpu_add(struct cpu_features *set, unsigned feature)
{
  set->words[feature / 64] |= 1ull << feature % 64;
}

static inline struct cpu_features cpu_union(const struct cpu_features *a, const struct cpu_features *b)
{
  struct cpu_features set;
  for (unsigned i = 0; i < CPU_FEATURE_WORDS; i++)
    set.words[i] = a->words[i] | b->words[i];
  return set;
}

static inline struct cpu_features cpu_common(const struct cpu_features *a, const struct cpu_features *b)
{
  struct cpu_features set;
  for (unsigned i = 0; i < CPU_FEATURE_WORDS; i++)
    set.words[i] = a->words[i] & b->words[i];
  return set;
}

/// What is in `a` but not in `b`.
static inline struct cpu_features cpu_without(const struct cpu_features *a, const struct cpu_features *b)
{
  struct cpu_features set;
  for (unsigned i = 0; i < CPU_FEATURE_WORDS; i++)
    set.words[i] = a->words[i] & ~b->words[i];
  return set;
}

static inline unsigned cpu_count(const struct cpu_features *set)
{
  unsigned count = 0;
  for (unsigned i = 0; i < CPU_FEATURE_WORDS; i++)
    count += (unsigned)__builtin_popcountll(set->words[i]);
  return count;
}

/// Whether all of `part` is in `whole`.
static inline bool cpu_within(const struct cpu_features *part, const struct cpu_features *whole)
{
  uint64_t missing = 0;
  for (unsigned i = 0; i < CPU_FEATURE_WORDS; i++)
    missing |= part->words[i] & ~whole->words[i];
  return missing == 0;
}

#endif
