// SPDX-License-Identifier: MIT
//
// The choice of bodies, made once more: bodies are the functions NAME.targetN in .symtab, what the processor
// has is what libc says of it, and the rule is written down here a second time. The target list and the names of
// features are the only things taken from the project.
#include "cpuid/isa.h"
#include "tests/oracle/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/platform/x86.h>

// A feature of the processor that the system has enabled too. The last column: whether it takes registers that the
// system must save.
static const struct known {
  const char *name;
  unsigned index;
  bool needs_system;
} known[] = {
    {"x87", x86_cpu_FPU, false},
    {"cx8", x86_cpu_CX8, false},
    {"cmov", x86_cpu_CMOV, false},
    {"mmx", x86_cpu_MMX, false},
    {"fxsr", x86_cpu_FXSR, false},
    {"sse", x86_cpu_SSE, false},
    {"sse2", x86_cpu_SSE2, false},
    {"sse3", x86_cpu_SSE3, false},
    {"pclmul", x86_cpu_PCLMULQDQ, false},
    {"ssse3", x86_cpu_SSSE3, false},
    {"fma", x86_cpu_FMA, true},
    {"cx16", x86_cpu_CMPXCHG16B, false},
    {"sse4.1", x86_cpu_SSE4_1, false},
    {"sse4.2", x86_cpu_SSE4_2, false},
    {"crc32", x86_cpu_SSE4_2, false},
    {"movbe", x86_cpu_MOVBE, false},
    {"popcnt", x86_cpu_POPCNT, false},
    {"aes", x86_cpu_AES, false},
    {"xsave", x86_cpu_OSXSAVE, false},
    {"avx", x86_cpu_AVX, true},
    {"f16c", x86_cpu_F16C, true},
    {"rdrnd", x86_cpu_RDRAND, false},
    {"bmi", x86_cpu_BMI1, false},
    {"avx2", x86_cpu_AVX2, true},
    {"bmi2", x86_cpu_BMI2, false},
    {"avx512f", x86_cpu_AVX512F, true},
    {"avx512dq", x86_cpu_AVX512DQ, true},
    {"rdseed", x86_cpu_RDSEED, false},
    {"adx", x86_cpu_ADX, false},
    {"avx512ifma", x86_cpu_AVX512_IFMA, true},
    {"avx512cd", x86_cpu_AVX512CD, true},
    {"sha", x86_cpu_SHA, false},
    {"avx512bw", x86_cpu_AVX512BW, true},
    {"avx512vl", x86_cpu_AVX512VL, true},
    {"gfni", x86_cpu_GFNI, false},
    {"avx512vbmi", x86_cpu_AVX512_VBMI, true},
    {"vaes", x86_cpu_VAES, true},
    {"avx512vbmi2", x86_cpu_AVX512_VBMI2, true},
    {"sahf", x86_cpu_LAHF64_SAHF64, false},
    {"vpclmulqdq", x86_cpu_VPCLMULQDQ, true},
    {"lzcnt", x86_cpu_LZCNT, false},
    {"avx512vnni", x86_cpu_AVX512_VNNI, true},
    {"sse4a", x86_cpu_SSE4A, false},
    {"avx512bitalg", x86_cpu_AVX512_BITALG, true},
    {"evex512", x86_cpu_AVX512F, true},
    {"avx512vpopcntdq", x86_cpu_AVX512_VPOPCNTDQ, true},
    {"avx512bf16", x86_cpu_AVX512_BF16, true},
};

// x86_cpu_present and x86_cpu_active, which shift a signed 1 by 31.
static bool libc_tells(const struct known *feature)
{
  const struct cpuid_feature *leaf = __x86_get_cpuid_feature_leaf(feature->index / 128);
  const unsigned *registers = feature->needs_system ? leaf->active_array : leaf->cpuid_array;
  return registers[feature->index % 128 / 32] >> feature->index % 32 & 1;
}

static bool processor_has(const char *name)
{
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(known[i].name, name) == 0)
      return libc_tells(&known[i]);
  fprintf(stderr, "choice.c does not know the feature %s\n", name);
  exit(2);
}

// What implies a hidden feature need not be known: a target that has it has the hidden one too.
static bool hidden(const char *name)
{
  const char *mask = getenv("PKGIMG_CPU_MASK");
  size_t length = strlen(name);
  for (const char *word = mask; word && *word; word += strcspn(word, ",")) {
    word += strspn(word, ",");
    if (strcspn(word, ",") == length && memcmp(word, name, length) == 0)
      return true;
  }
  return false;
}

// ---- targets

struct list {
  const struct disk_target *targets;
  uint32_t count;
};

static struct list targets_of(const struct pair *pair)
{
  const uint8_t *start = pair->file.bytes + pair->image->geometry.tables_offset;
  const struct disk_tables *head = (const struct disk_tables *)(const void *)start;
  return (struct list){(const struct disk_target *)(const void *)(start + head->targets.offset),
                       head->targets.count};
}

static bool target_has(const struct disk_target *target, unsigned feature)
{
  return target->features[feature / 64] >> feature % 64 & 1;
}

static bool runs(const struct disk_target *target)
{
  for (unsigned i = 0; i < cpu_isa_x86_64.feature_count; i++) {
    const char *name = cpu_isa_x86_64.features[i].name;
    if (target_has(target, i) && (!processor_has(name) || hidden(name)))
      return false;
  }
  return true;
}

void choice_init(struct pair *pair)
{
  struct list list = targets_of(pair);
  for (uint32_t i = 0; i < list.count; i++)
    pair->runnable |= (uint64_t)runs(&list.targets[i]) << i;
}

static unsigned vector_bits(const struct disk_target *target)
{
  unsigned bits = 128;
  for (unsigned i = 0; i < cpu_isa_x86_64.feature_count; i++)
    if (target_has(target, i)) {
      const char *name = cpu_isa_x86_64.features[i].name;
      unsigned has = strcmp(name, "evex512") == 0 ? 512 : strcmp(name, "avx") == 0 ? 256 : 128;
      bits = has > bits ? has : bits;
    }
  return bits;
}

static unsigned feature_count(const struct disk_target *target)
{
  unsigned count = 0;
  for (unsigned i = 0; i < FORMAT_FEATURE_WORDS; i++)
    count += (unsigned)__builtin_popcountll(target->features[i]);
  return count;
}

// The widest vectors, then the most features, then the later target.
static bool at_least_as_good(const struct disk_target *later, const struct disk_target *earlier)
{
  if (vector_bits(later) != vector_bits(earlier))
    return vector_bits(later) > vector_bits(earlier);
  return feature_count(later) >= feature_count(earlier);
}

// ---- functions

static bool body_of(const struct pair *pair, const char *name, uint32_t target, uint64_t *value)
{
  char *local = NULL;
  if (asprintf(&local, "%s.target%u", name, target) < 0)
    abort();
  bool found = elf_file_function(&pair->file, local, value);
  free(local);
  return found;
}

uint64_t choice_of(const struct pair *pair, const char *name, uint64_t baseline)
{
  struct list list = targets_of(pair);
  uint64_t best_body = baseline, body;
  uint32_t best = 0;
  if (list.count == 0 || !body_of(pair, name, 0, &body) || body != baseline)
    return baseline;
  for (uint32_t i = 1; i < list.count; i++)
    if (pair->runnable >> i & 1 && body_of(pair, name, i, &body) &&
        at_least_as_good(&list.targets[i], &list.targets[best])) {
      best = i;
      best_body = body;
    }
  return best_body;
}

uint64_t choice_at(const struct pair *pair, uint64_t baseline)
{
  static const char suffix[] = ".target0";
  for (size_t i = 0; i < pair->file.function_count; i++) {
    const char *name = pair->file.function_names + pair->file.functions[i]->st_name, *end = strstr(name, suffix);
    if (pair->file.functions[i]->st_value != baseline || !end || end[sizeof suffix - 1])
      continue;
    char *stem = strndup(name, (size_t)(end - name));
    uint64_t chosen = choice_of(pair, stem, baseline);
    free(stem);
    return chosen;
  }
  return baseline;
}

void compare_exports(const struct pair *pair, struct tally *tally)
{
  for (uint64_t i = 1; i < pair->file.symbol_count; i++) {
    const Elf64_Sym *symbol = &pair->file.symbols[i];
    const char *name = pair->file.strings + symbol->st_name;
    void *found;
    if (symbol->st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol->st_info) != STT_FUNC)
      continue;
    uint64_t expected = choice_of(pair, name, symbol->st_value);
    if (pkgimg_symbol(pair->image, name, &found, NULL) != PKGIMG_OK ||
        (uint64_t)found - pair->bases[OURS] != expected)
      differs(tally, pair, symbol->st_value, "pkgimg_symbol does not lead %s to 0x%lx", name,
              (unsigned long)expected);
  }
}
