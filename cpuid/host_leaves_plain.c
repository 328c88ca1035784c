// SPDX-License-Identifier: MIT
//
// CPUID leaves, where libc does not tell them.
#include "cpuid/host.h"

void host_leaf(void *context, uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
  host_cpuid(context, leaf, subleaf, regs);
}
