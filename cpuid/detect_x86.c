// SPDX-License-Identifier: MIT
//
// x86-64: CPUID leaves -> features. Runs on any machine, given a source. References: Intel SDM vol. 2A, CPUID;
// vol. 1, 13.3 and 15.2 (what must be checked before AVX and AVX-512); AMD APM vol. 3, appendix E.
#include "cpuid/detect.h"
#include "cpuid/model.h"

#include <string.h>

enum { EAX, EBX, ECX, EDX };
enum state { NONE, XSAVE, AVX, AVX512, AMX, APX };

struct place {
  uint32_t leaf, subleaf;
  uint8_t reg, bit, state;
};
static const struct place places[] = {
#define X86_FEATURE(number, name, leaf, subleaf, reg, bit, state, width, use)                                     \
  [number] = {leaf, subleaf, reg, bit, state},
#include "cpuid/features.def"
};

// The leaves that features are in. A leaf exists up to the highest of its range, a subleaf of 7 up to its own
// highest.
static const uint32_t leaves[][2] = {{1, 0},    {7, 0},    {7, 1},          {0xd, 1},       {0x14, 0},
                                     {0x19, 0}, {0x24, 0}, {0x80000001, 0}, {0x80000008, 0}};
enum { LEAF_COUNT = sizeof leaves / sizeof *leaves };

struct answers {
  uint32_t highest, highest_extended, highest_of_7;
  uint32_t regs[LEAF_COUNT][4];
};

static void ask(const struct cpu_source *source, uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
  memset(regs, 0, 4 * sizeof *regs);
  source->cpuid(source->context, leaf, subleaf, regs);
}

static bool exists(const struct answers *answers, uint32_t leaf, uint32_t subleaf)
{
  if (leaf >= 0x80000000)
    return leaf <= answers->highest_extended;
  return leaf <= answers->highest && (leaf != 7 || subleaf <= answers->highest_of_7);
}

static void ask_all(const struct cpu_source *source, struct answers *answers)
{
  uint32_t regs[4];
  memset(answers, 0, sizeof *answers);
  ask(source, 0, 0, regs);
  answers->highest = regs[EAX];
  ask(source, 0x80000000, 0, regs);
  answers->highest_extended = regs[EAX] >= 0x80000000 ? regs[EAX] : 0;
  for (int i = 0; i < LEAF_COUNT; i++) {
    if (exists(answers, leaves[i][0], leaves[i][1]))
      ask(source, leaves[i][0], leaves[i][1], answers->regs[i]);
    if (leaves[i][0] == 7 && leaves[i][1] == 0)
      answers->highest_of_7 = answers->regs[i][EAX];
  }
}

// What the operating system saves: without OSXSAVE, XGETBV would fault, and nothing beyond SSE survives a switch.
static uint64_t saved_states(const struct cpu_source *source, const struct answers *answers)
{
  static const uint64_t needs[] = {[XSAVE] = 0, [AVX] = 0x6, [AVX512] = 0xe6, [AMX] = 0x60000, [APX] = 0x80000};
  uint64_t states = 1u << NONE;
  if (!(answers->regs[0][ECX] >> 27 & 1))
    return states;
  uint64_t xcr0 = source->xgetbv(source->context);
  for (unsigned i = XSAVE; i <= APX; i++)
    if ((xcr0 & needs[i]) == needs[i])
      states |= 1u << i;
  return states;
}

// A hypervisor may hide a feature and forget those that need it.
static struct cpu_features without_orphans(struct cpu_features found)
{
  for (unsigned i = 0; i < cpu_isa_x86_64.feature_count; i++)
    if (!cpu_has(&found, i))
      found = cpu_without(&found, &cpu_isa_x86_64.implied_by[i]);
  return found;
}

static struct cpu_features features_of(const struct cpu_source *source, const struct answers *answers)
{
  uint64_t states = saved_states(source, answers);
  struct cpu_features found = {{0}};
  for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
    for (int leaf = 0; leaf < LEAF_COUNT; leaf++)
      if (leaves[leaf][0] == places[i].leaf && leaves[leaf][1] == places[i].subleaf &&
          answers->regs[leaf][places[i].reg] >> places[i].bit & states >> places[i].state & 1)
        cpu_add(&found, i);
  return without_orphans(found);
}

struct cpu_features cpu_detect_x86_features(const struct cpu_source *source)
{
  struct answers answers;
  ask_all(source, &answers);
  return features_of(source, &answers);
}

// AMD64 has its own brand string in leaves 0x80000002 to 4, with blanks before or behind it.
static void read_brand(const struct cpu_source *source, const struct answers *answers, char brand[52])
{
  uint32_t regs[12] = {0};
  char text[sizeof regs + 1] = "";
  for (size_t i = 0; i < 3 && answers->highest_extended >= 0x80000004; i++)
    ask(source, 0x80000002 + (uint32_t)i, 0, regs + 4 * i);
  memcpy(text, regs, sizeof regs);
  size_t first = strspn(text, " "), length = strlen(text);
  while (length > first && text[length - 1] == ' ')
    length--;
  for (size_t i = first; i < length; i++)
    brand[i - first] = (char)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
  brand[length - first] = 0;
}

static void read_identity(const struct cpu_source *source, const struct answers *answers, struct cpu_host *host)
{
  uint32_t regs[4], signature = answers->regs[0][EAX];
  ask(source, 0, 0, regs);
  memcpy(host->vendor, &regs[EBX], 4);
  memcpy(host->vendor + 4, &regs[EDX], 4);
  memcpy(host->vendor + 8, &regs[ECX], 4);
  for (char *at = host->vendor; *at; at++)
    if (*at < ' ' || *at > '~')
      *at = '?';
  // SDM vol. 2A, CPUID leaf 1: the extended family counts from family 15, the extended model from 6 and 15.
  host->family = signature >> 8 & 15;
  host->model = signature >> 4 & 15;
  host->stepping = signature & 15;
  if (host->family == 6 || host->family == 15)
    host->model |= (signature >> 16 & 15) << 4;
  if (host->family == 15)
    host->family += signature >> 20 & 255;
}

void cpu_detect_x86(const struct cpu_source *source, struct cpu_host *host)
{
  struct answers answers;
  memset(host, 0, sizeof *host);
  host->isa = &cpu_isa_x86_64;
  ask_all(source, &answers);
  host->features = features_of(source, &answers);
  host->vector_bits = cpu_features_width(host->isa, &host->features);
  read_identity(source, &answers, host);
  read_brand(source, &answers, host->brand);
  host->llvm_name = cpu_model_of_host(host);
}
