// SPDX-License-Identifier: MIT
//
// The choice at load: which of a function's bodies this machine runs. Among the targets that it can run: the
// widest vectors, then the most features, then the later target. Tuning never counts. Target 0 is the baseline: a
// function always has a body of it, and it is always legal. Whether the machine runs the baseline at all is one
// question for the whole image.
#ifndef CPUID_CHOOSE_H
#define CPUID_CHOOSE_H

#include "cpuid/isa.h"

enum { CPU_RANKED_MAX = 64 };

/// A target of an image: the part of struct cpu_target that the choice reads.
struct cpu_target_features {
  struct cpu_features features;
  unsigned vector_bits;
};

/// The targets that a host can run, best first. Made once for an image.
struct cpu_ranking {
  uint64_t usable;  ///< bit t: target t; bit 0 is always set
  unsigned count;
  uint8_t order[CPU_RANKED_MAX];
  bool baseline_runs;  ///< the host has all that target 0 needs
};

/// `count` is 1 to CPU_RANKED_MAX. Targets with wider vectors than `max_vector_bits` (0: no limit) are left out,
/// except for target 0.
void cpu_rank(const struct cpu_features *host, const struct cpu_target_features *targets, unsigned count,
              unsigned max_vector_bits, struct cpu_ranking *ranking);

/// The target to use of a function that has bodies for the targets in `bodies`. Target 0 if none else is usable.
static inline unsigned cpu_choose(const struct cpu_ranking *ranking, uint64_t bodies)
{
  unsigned i = 0;
  bodies &= ranking->usable;
  if ((bodies & (bodies - 1)) == 0)
    return bodies ? (unsigned)__builtin_ctzll(bodies) : 0;
  while (!(bodies >> ranking->order[i] & 1))
    i++;
  return ranking->order[i];
}

/// Why a target is not usable.
enum cpu_refusal {
  CPU_USABLE,
  CPU_LACKS_FEATURES,  ///< `missing` has them
  CPU_TOO_WIDE,        ///< its vectors are wider than the limit
};
struct cpu_explanation {
  enum cpu_refusal refusal;
  struct cpu_features missing;
};
struct cpu_explanation cpu_explain(const struct cpu_features *host, const struct cpu_target_features *target,
                                   unsigned max_vector_bits);

#endif
