// SPDX-License-Identifier: MIT
#include "image/bodies.h"

#include <string.h>

// The targets of an image, as far as the processor runs them. Kept apart: its room on the stack would
// cost every load of an image without clones the faults of fresh pages.
__attribute__((noinline)) static enum pkgimg_status rank_targets(const char *file, const struct tables *tables,
                                                                 const struct processor *processor,
                                                                 struct cpu_ranking *ranking,
                                                                 struct pkgimg_error *error)
{
  const struct cpu_isa *isa = cpu_isa_of_machine(FORMAT_HOST_MACHINE);
  struct cpu_target_features targets[FORMAT_MAX_TARGETS];
  char names[256];
  for (uint32_t i = 0; i < tables->target_count; i++) {
    memcpy(targets[i].features.words, tables->targets[i].features, sizeof targets[i].features.words);
    targets[i].vector_bits = cpu_features_width(isa, &targets[i].features);
  }
  cpu_rank(processor->features, targets, tables->target_count, processor->vector_bits, ranking);
  if (ranking->baseline_runs)
    return PKGIMG_OK;
  struct cpu_explanation explanation = cpu_explain(processor->features, &targets[0], 0);
  return fail_name(error, PKGIMG_WRONG_MACHINE, file, tables->strings + tables->targets[0].name,
                   "the baseline of its code needs features that this processor lacks or a mask hides: %s",
                   cpu_features_text(isa, &explanation.missing, ", ", names, sizeof names));
}

enum pkgimg_status bodies_choose(const char *file, const struct tables *tables, const struct processor *processor,
                                 uint32_t *bodies, struct choice *choice, struct pkgimg_error *error)
{
  struct cpu_ranking ranking;
  TRY(rank_targets(file, tables, processor, &ranking, error));
  for (uint32_t i = 0; i < tables->clone_count; i++) {
    const struct disk_clone *clone = &tables->clones[i];
    unsigned target = processor->only_baseline ? 0 : cpu_choose(&ranking, clone->bodies);
    bodies[i] = clone_body(tables, clone, target);
    choice->raised += target != 0;
    choice->targets |= 1ull << target;
  }
  return PKGIMG_OK;
}
