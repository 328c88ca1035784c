// SPDX-License-Identifier: MIT
//
// The rule between a package image and its system image: wherever the system image runs, its packages run.
#ifndef CPUID_BASELINE_H
#define CPUID_BASELINE_H

#include "base/error.h"
#include "cpuid/isa.h"

/// What an image asks of every processor: its first target.
struct cpu_baseline {
  const char *file;    ///< for messages
  const char *target;  ///< its name
  struct cpu_features features;
};

/// A NULL target: plain code of `isa`.
struct cpu_baseline cpu_baseline(const struct cpu_isa *isa, const char *file, const char *target,
                                 const uint64_t features[CPU_FEATURE_WORDS]);

/// PKGIMG_SYSIMAGE if the package asks for a feature that its system image does without.
PKGIMG_MUST_USE enum pkgimg_status cpu_baseline_check(const struct cpu_isa *isa,
                                                      const struct cpu_baseline *package,
                                                      const struct cpu_baseline *sysimage,
                                                      struct pkgimg_error *error);

#endif
