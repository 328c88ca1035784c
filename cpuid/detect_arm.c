// SPDX-License-Identifier: MIT
//
// aarch64: HWCAP -> features. Runs on any machine, given a source. Linux clears a bit that not all cores have
// (Documentation/arch/arm64/elf_hwcaps.rst).
#include "cpuid/detect.h"
#include "cpuid/model.h"

#include <stdio.h>
#include <string.h>

static const struct place {
  uint64_t hwcap, hwcap2;
} places[] = {
#define ARM_FEATURE(number, name, extension, hwcap, hwcap2, width, use) [number] = {hwcap, hwcap2},
#include "cpuid/features.def"
};

struct cpu_features cpu_detect_arm_features(const struct cpu_arm_source *source)
{
  const struct cpu_isa *isa = &cpu_isa_aarch64;
  struct cpu_features found = {{0}};
  for (unsigned i = 0; i < isa->feature_count; i++)
    if ((source->hwcap & places[i].hwcap) == places[i].hwcap &&
        (source->hwcap2 & places[i].hwcap2) == places[i].hwcap2)
      cpu_add(&found, i);
  for (unsigned i = 0; i < isa->feature_count; i++)
    if (!cpu_has(&found, i))
      found = cpu_without(&found, &isa->implied_by[i]);
  return found;
}

// MIDR_EL1 (Arm ARM, D19.2): implementer, variant, architecture, part number, revision.
void cpu_detect_arm(const struct cpu_arm_source *source, struct cpu_host *host)
{
  memset(host, 0, sizeof *host);
  host->isa = &cpu_isa_aarch64;
  host->features = cpu_detect_arm_features(source);
  host->vector_bits = cpu_features_width(host->isa, &host->features);
  if (8 * source->sve_bytes > host->vector_bits)
    host->vector_bits = 8 * source->sve_bytes;
  host->family = source->midr >> 24;
  host->model = source->midr >> 4 & 0xfff;
  host->stepping = source->midr & 15;
  snprintf(host->vendor, sizeof host->vendor, "%s", cpu_arm_implementer(host->family));
  host->llvm_name = cpu_model_of_host(host);
}
