// SPDX-License-Identifier: MIT
//
// CPUID leaves as ld.so read them: glibc 2.33 and later keep them (manual, "X86"). No instruction is run, except
// for the leaf of AVX10, which glibc 2.36 does not keep. A leaf that the machine has not is all zeros there too.
#include "cpuid/host.h"

#include <string.h>
#include <sys/platform/x86.h>

static const struct {
  uint32_t leaf, subleaf, index;
} kept[] = {
    {1, 0, CPUID_INDEX_1},
    {7, 0, CPUID_INDEX_7},
    {7, 1, CPUID_INDEX_7_ECX_1},
    {0xd, 1, CPUID_INDEX_D_ECX_1},
    {0x14, 0, CPUID_INDEX_14_ECX_0},
    {0x19, 0, CPUID_INDEX_19},
    {0x80000001, 0, CPUID_INDEX_80000001},
    {0x80000008, 0, CPUID_INDEX_80000008},
};

static const uint32_t *leaf_of_libc(uint32_t index)
{
  return __x86_get_cpuid_feature_leaf(index)->cpuid_array;
}

void host_leaf(void *context, uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
  if (leaf == 0)
    regs[0] = 0x24;
  else if (leaf == 0x80000000)
    regs[0] = 0x80000008;
  else if (leaf == 0x24 && leaf_of_libc(CPUID_INDEX_7_ECX_1)[3] >> 19 & 1)
    host_cpuid(context, leaf, subleaf, regs);
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
    if (kept[i].leaf == leaf && kept[i].subleaf == subleaf)
      memcpy(regs, leaf_of_libc(kept[i].index), 4 * sizeof *regs);
}
