// SPDX-License-Identifier: MIT
#include "cpuid/choose.h"

struct cpu_explanation cpu_explain(const struct cpu_features *host, const struct cpu_target_features *target,
                                   unsigned max_vector_bits)
{
  struct cpu_explanation explanation = {.missing = cpu_without(&target->features, host)};
  if (cpu_count(&explanation.missing))
    explanation.refusal = CPU_LACKS_FEATURES;
  else if (max_vector_bits && target->vector_bits > max_vector_bits)
    explanation.refusal = CPU_TOO_WIDE;
  return explanation;
}

static bool better(const struct cpu_target_features *targets, unsigned a, unsigned b)
{
  unsigned a_count = cpu_count(&targets[a].features), b_count = cpu_count(&targets[b].features);
  if (targets[a].vector_bits != targets[b].vector_bits)
    return targets[a].vector_bits > targets[b].vector_bits;
  return a_count != b_count ? a_count > b_count : a > b;
}

static void insert(struct cpu_ranking *ranking, const struct cpu_target_features *targets, unsigned target)
{
  unsigned at = ranking->count++;
  for (; at > 0 && better(targets, target, ranking->order[at - 1]); at--)
    ranking->order[at] = ranking->order[at - 1];
  ranking->order[at] = (uint8_t)target;
  ranking->usable |= 1ull << target;
}

void cpu_rank(const struct cpu_features *host, const struct cpu_target_features *targets, unsigned count,
              unsigned max_vector_bits, struct cpu_ranking *ranking)
{
  *ranking = (struct cpu_ranking){.usable = 0};
  for (unsigned i = 1; i < count; i++)
    if (cpu_explain(host, &targets[i], max_vector_bits).refusal == CPU_USABLE)
      insert(ranking, targets, i);
  // A baseline that the host or the limit refuses is the last resort, however wide it is.
  enum cpu_refusal refusal = cpu_explain(host, &targets[0], max_vector_bits).refusal;
  ranking->baseline_runs = refusal != CPU_LACKS_FEATURES;
  if (refusal == CPU_USABLE)
    insert(ranking, targets, 0);
  else
    ranking->order[ranking->count++] = 0;
  ranking->usable |= 1;
}
