// SPDX-License-Identifier: MIT
#include "cpuid/tables.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

const struct cpu_feature cpu_x86_64_features[] = {
#define X86_FEATURE(number, name, leaf, subleaf, reg, bit, state, width, use)                                     \
  [number] = {name, NULL, width, CPU_USE_##use},
#include "cpuid/features.def"
};

const struct cpu_feature cpu_aarch64_features[] = {
#define ARM_FEATURE(number, name, extension, hwcap, hwcap2, width, use)                                           \
  [number] = {name, extension, width, CPU_USE_##use},
#include "cpuid/features.def"
};

const struct cpu_isa *cpu_isa_of_machine(unsigned machine)
{
  switch (machine) {
  case EM_X86_64:
    return &cpu_isa_x86_64;
  case EM_AARCH64:
    return &cpu_isa_aarch64;
  default:
    return NULL;
  }
}

static bool same(const char *word, const char *name, size_t length)
{
  return word && strlen(word) == length && memcmp(word, name, length) == 0;
}

int cpu_feature_find(const struct cpu_isa *isa, const char *name, size_t length)
{
  for (unsigned i = 0; i < isa->feature_count; i++)
    if (same(isa->features[i].name, name, length))
      return (int)i;
  for (unsigned i = 0; i < isa->feature_count; i++)
    if (*name != '-' && same(isa->features[i].alias, name, length))
      return (int)i;
  return -1;
}

const struct cpu_model *cpu_model_find(const struct cpu_isa *isa, const char *name, size_t length)
{
  for (unsigned i = 0; i < isa->model_count; i++)
    if (same(isa->models[i].name, name, length))
      return &isa->models[i];
  return NULL;
}

struct cpu_features cpu_features_of_use(const struct cpu_isa *isa, enum cpu_use use)
{
  struct cpu_features set = {{0}};
  for (unsigned i = 0; i < isa->feature_count; i++)
    if (isa->features[i].use == use)
      cpu_add(&set, i);
  return set;
}

struct cpu_features cpu_model_needs(const struct cpu_isa *isa, const struct cpu_model *model)
{
  struct cpu_features code = cpu_features_of_use(isa, CPU_USE_CODE);
  struct cpu_features needs = cpu_common(&model->features, &code);
  return cpu_union(&needs, &isa->baseline);
}

// A default is what a feature survives without.
struct cpu_features cpu_feature_defaults(const struct cpu_isa *isa, unsigned feature)
{
  struct cpu_features defaults = {{0}};
  for (unsigned i = 0; i < isa->feature_count; i++)
    if (cpu_has(&isa->implies[feature], i) && !cpu_has(&isa->implied_by[i], feature))
      cpu_add(&defaults, i);
  return defaults;
}

void cpu_features_enable(const struct cpu_isa *isa, struct cpu_features *set, unsigned feature)
{
  struct cpu_features defaults = cpu_feature_defaults(isa, feature);
  struct cpu_features needed = cpu_without(&isa->implies[feature], &defaults);
  *set = cpu_union(set, &needed);
}

void cpu_features_disable(const struct cpu_isa *isa, struct cpu_features *set, unsigned feature)
{
  *set = cpu_without(set, &isa->implied_by[feature]);
}

unsigned cpu_features_width(const struct cpu_isa *isa, const struct cpu_features *set)
{
  unsigned width = 128;
  for (unsigned i = 0; i < isa->feature_count; i++)
    if (cpu_has(set, i) && isa->features[i].width > width)
      width = isa->features[i].width;
  return width;
}

char *cpu_features_text(const struct cpu_isa *isa, const struct cpu_features *set, const char *separator,
                        char *text, size_t size)
{
  size_t length = 0;
  text[0] = 0;
  for (unsigned i = 0; i < CPU_FEATURE_LIMIT && length < size; i++) {
    char unknown[16];  // what a newer build knows
    snprintf(unknown, sizeof unknown, "feature-%u", i);
    if (cpu_has(set, i))
      length += (size_t)snprintf(text + length, size - length, "%s%s", length ? separator : "",
                                 i < isa->feature_count ? isa->features[i].name : unknown);
  }
  return text;
}
