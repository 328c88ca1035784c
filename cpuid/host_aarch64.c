// SPDX-License-Identifier: MIT
//
// This machine, where it is aarch64.
#include "cpuid/host.h"

#include <sys/auxv.h>
#include <sys/prctl.h>

static const uint64_t hwcap_cpuid = 1u << 11, hwcap_sve = 1u << 22;

const struct cpu_isa *cpu_isa_host(void)
{
  return &cpu_isa_aarch64;
}

// The kernel emulates the read where HWCAP_CPUID is set (Documentation/arch/arm64/cpu-feature-registers.rst).
static uint32_t read_midr(void)
{
  uint64_t midr;
  __asm__("mrs %0, MIDR_EL1" : "=r"(midr));
  return (uint32_t)midr;
}

void cpu_host_detect(struct cpu_host *host)
{
  struct cpu_arm_source source = {.hwcap = getauxval(AT_HWCAP), .hwcap2 = getauxval(AT_HWCAP2)};
  if (source.hwcap & hwcap_cpuid)
    source.midr = read_midr();
  int vector = source.hwcap & hwcap_sve ? prctl(PR_SVE_GET_VL) : 0;
  if (vector > 0)
    source.sve_bytes = (unsigned)vector & PR_SVE_VL_LEN_MASK;
  cpu_detect_arm(&source, host);
}

struct cpu_features cpu_host_detect_features(void)
{
  struct cpu_arm_source source = {.hwcap = getauxval(AT_HWCAP), .hwcap2 = getauxval(AT_HWCAP2)};
  return cpu_detect_arm_features(&source);
}
