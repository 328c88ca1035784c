// SPDX-License-Identifier: MIT
//
// This machine, where it is x86-64.
#include "cpuid/host.h"

#include <cpuid.h>

void host_cpuid(void *context, uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
  (void)context;
  __cpuid_count(leaf, subleaf, regs[0], regs[1], regs[2], regs[3]);
}

static uint64_t host_xgetbv(void *context)
{
  (void)context;
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

const struct cpu_isa *cpu_isa_host(void)
{
  return &cpu_isa_x86_64;
}

void cpu_host_detect(struct cpu_host *host)
{
  struct cpu_source source = {.cpuid = host_cpuid, .xgetbv = host_xgetbv};
  cpu_detect_x86(&source, host);
}

struct cpu_features cpu_host_detect_features(void)
{
  struct cpu_source source = {.cpuid = host_leaf, .xgetbv = host_xgetbv};
  return cpu_detect_x86_features(&source);
}
