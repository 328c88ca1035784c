// SPDX-License-Identifier: MIT
//
// Parsed targets as one string: what an image says that it was built for. It has no word that means something else
// on another machine or beside another system image. What it means is not lost: reading it gives the same targets.
#include "cpuid/target.h"

#include <stdio.h>
#include <string.h>

const char *cpu_target_name(const struct cpu_target *target)
{
  return target->flags & CPU_TARGET_NATIVE ? target->model->name : target->name;
}

// Turn a feature off that the target does without, and what LLVM lists for the CPU but goes with it.
static void leave_out(const struct cpu_isa *isa, const struct cpu_target *target, unsigned feature,
                      struct cpu_features *off)
{
  struct cpu_features gone = cpu_common(&target->model->features, &isa->implied_by[feature]);
  *off = cpu_union(off, &gone);
  cpu_add(off, feature);
}

// What words have to turn on, and off, behind the name of the CPU. Whoever reads that a feature is on adds its
// defaults, so those that the target does without are named as well. (Of `native`, that is xsave: LLVM no longer
// has it then, but no code that it emits by itself uses it.)
static void differences(const struct cpu_isa *isa, const struct cpu_target *target, struct cpu_features *on,
                        struct cpu_features *off)
{
  struct cpu_features needs = cpu_model_needs(isa, target->model), brought = {{0}};
  *on = cpu_without(&target->features, &needs);
  *off = target->off;
  for (unsigned i = 0; i < isa->feature_count; i++)
    if (cpu_has(on, i))
      cpu_features_enable(isa, &brought, i);
  for (unsigned i = 0; i < isa->feature_count; i++)
    if (cpu_has(&brought, i)) {
      struct cpu_features defaults = cpu_feature_defaults(isa, i);
      defaults = cpu_without(&defaults, &target->features);
      for (unsigned j = 0; j < isa->feature_count; j++)
        if (cpu_has(&defaults, j))
          leave_out(isa, target, j, off);
    }
}

static enum pkgimg_status add(struct buffer *text, const char *sign, const char *word, struct pkgimg_error *error)
{
  TRY(buffer_append(text, sign, strlen(sign), error));
  return buffer_append(text, word, strlen(word), error);
}

static enum pkgimg_status add_features(struct buffer *text, const struct cpu_isa *isa, const char *sign,
                                       const struct cpu_features *set, struct pkgimg_error *error)
{
  for (unsigned i = 0; i < isa->feature_count; i++)
    if (cpu_has(set, i))
      TRY(add(text, sign, isa->features[i].name, error));
  return PKGIMG_OK;
}

static enum pkgimg_status add_flags(struct buffer *text, const struct cpu_target *target,
                                    struct pkgimg_error *error)
{
  static const struct {
    unsigned flag;
    const char *word;
  } words[] = {{CPU_TARGET_CLONE_ALL, "clone_all"},
               {CPU_TARGET_NO_CLONE_ALL, "-clone_all"},
               {CPU_TARGET_OPT_SIZE, "opt_size"},
               {CPU_TARGET_MIN_SIZE, "min_size"}};
  char base[32];
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (target->flags & words[i].flag)
      TRY(add(text, ",", words[i].word, error));
  if (!(target->flags & CPU_TARGET_BASE))
    return PKGIMG_OK;
  snprintf(base, sizeof base, "base(%u)", target->base);
  return add(text, ",", base, error);
}

// Off comes before on: turning a feature off takes what needs it along.
static enum pkgimg_status add_target(struct buffer *text, const struct cpu_isa *isa,
                                     const struct cpu_target *target, struct pkgimg_error *error)
{
  struct cpu_features on, off;
  differences(isa, target, &on, &off);
  TRY(add(text, text->size ? ";" : "", cpu_target_name(target), error));
  TRY(add_features(text, isa, ",-", &off, error));
  TRY(add_features(text, isa, ",+", &on, error));
  return add_flags(text, target, error);
}

enum pkgimg_status cpu_targets_canonical(const struct cpu_target_list *list, struct buffer *text,
                                         struct pkgimg_error *error)
{
  for (unsigned i = 0; i < list->count; i++)
    TRY(add_target(text, list->isa, &list->targets[i], error));
  return buffer_append(text, "", 1, error);
}
