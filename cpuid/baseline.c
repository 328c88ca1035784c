// SPDX-License-Identifier: MIT
#include "cpuid/baseline.h"

#include <string.h>

struct cpu_baseline cpu_baseline(const struct cpu_isa *isa, const char *file, const char *target,
                                 const uint64_t features[CPU_FEATURE_WORDS])
{
  struct cpu_baseline baseline = {
      .file = file, .target = target ? target : isa->generic, .features = isa->baseline};
  if (target)
    memcpy(baseline.features.words, features, sizeof baseline.features.words);
  return baseline;
}

enum pkgimg_status cpu_baseline_check(const struct cpu_isa *isa, const struct cpu_baseline *package,
                                      const struct cpu_baseline *sysimage, struct pkgimg_error *error)
{
  struct cpu_features missing = cpu_without(&package->features, &sysimage->features);
  char names[256];
  if (cpu_count(&missing) == 0)
    return PKGIMG_OK;
  return fail_name(error, PKGIMG_SYSIMAGE, package->file, package->target,
                   "the baseline of its code needs what the baseline of its system image does without: %s "
                   "(system image %s: %s)",
                   cpu_features_text(isa, &missing, ", ", names, sizeof names), sysimage->file, sysimage->target);
}
