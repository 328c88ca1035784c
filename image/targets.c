// SPDX-License-Identifier: MIT
#include "image/targets.h"

#include "cpuid/target.h"
#include "image/baseline.h"

#include <string.h>

static_assert(FORMAT_FEATURE_WORDS == CPU_FEATURE_WORDS, "features in files and in memory");

void target_list_deinit(struct target_list *list)
{
  string_list_deinit(&list->strings);
  buffer_deinit(&list->text);
}

// Whether a target has a feature that the baseline lacks.
static bool adds(const struct cpu_target_list *parsed, unsigned index, const char *feature)
{
  int number = cpu_feature_find(parsed->isa, feature, strlen(feature));
  return number >= 0 && cpu_has(&parsed->targets[index].features, (unsigned)number) &&
         !cpu_has(&parsed->targets[0].features, (unsigned)number);
}

static bool adds_vectors(const struct cpu_target_list *parsed, unsigned index)
{
  static const char *const features[] = {"sse3", "ssse3", "sse4.1", "sse4.2", "avx", "avx2", "avx512f"};
  for (size_t i = 0; i < sizeof features / sizeof *features; i++)
    if (adds(parsed, index, features[i]))
      return true;
  return false;
}

static enum pkgimg_status take_target(struct target_list *list, const struct cpu_target_list *parsed,
                                      unsigned index, struct pkgimg_error *error)
{
  const struct cpu_target *target = &parsed->targets[index];
  struct cpu_target_text text;
  cpu_target_text(parsed->isa, target, &text);
  TRY(string_list_add(&list->strings, error, "%s", cpu_target_name(target)));
  TRY(string_list_add(&list->strings, error, "%s", text.features));
  char **strings = &list->strings.items[list->strings.count - 2];
  list->code[index] = (struct codegen_target){
      .cpu = text.cpu,
      .features = strings[1],
      .clone_all = target->flags & CPU_TARGET_CLONE_ALL,
      .adds_vectors = adds_vectors(parsed, index),
      .adds_math = adds(parsed, index, "fma") || adds(parsed, index, "fma4"),
      .adds_half =
          adds(parsed, index, "avx512fp16") || adds(parsed, index, "f16c") || adds(parsed, index, "avx512bf16"),
      .adds_bits = adds(parsed, index, "popcnt") || adds(parsed, index, "lzcnt") || adds(parsed, index, "bmi"),
      .size = target->flags & CPU_TARGET_OPT_SIZE,
      .min_size = target->flags & CPU_TARGET_MIN_SIZE,
  };
  list->tables[index].name = strings[0];
  memcpy(list->tables[index].features, target->features.words, sizeof list->tables[index].features);
  return PKGIMG_OK;
}

// The system image's own string; what has no targets was built for plain code of the machine.
static const char *string_of(const struct dep *sysimage)
{
  const struct tables *tables = &sysimage->file.tables;
  return tables->target_count ? tables->strings + tables->head->cpu_target : cpu_isa_x86_64.generic;
}

static enum pkgimg_status check_baseline(const struct pkgimg_build_options *options, const struct dep *sysimage,
                                         const struct target_list *list, struct pkgimg_error *error)
{
  if (!sysimage)
    return PKGIMG_OK;
  struct cpu_baseline below = tables_baseline(sysimage->path, &sysimage->file.tables);
  struct cpu_baseline own =
      cpu_baseline(&cpu_isa_x86_64, options->name, list->tables[0].name, list->tables[0].features);
  return cpu_baseline_check(&cpu_isa_x86_64, &own, &below, error);
}

enum pkgimg_status targets_parse(const struct pkgimg_build_options *options, const struct dep *sysimage,
                                 struct target_list *list, struct pkgimg_error *error)
{
  static _Thread_local struct cpu_target_list parsed;  // too large for a stack
  struct cpu_target_choice choice = cpu_target_pick(options->cpu_target);
  struct cpu_host host;
  if (!choice.text)
    return check_baseline(options, sysimage, list, error);
  TRY(cpu_host_open(NULL, &host, error));
  struct cpu_target_request request = {.isa = &cpu_isa_x86_64,
                                       .host = &host,
                                       .sysimage = sysimage ? string_of(sysimage) : NULL,
                                       .what = choice.what,
                                       .text = choice.text};
  TRY(cpu_targets_parse(&request, &parsed, error));
  if (parsed.help)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "`pkgimg cpu --cpu-target help` lists the names");
  for (unsigned i = 0; i < parsed.count; i++)
    TRY(take_target(list, &parsed, i, error));
  list->count = parsed.count;
  TRY(cpu_targets_canonical(&parsed, &list->text, error));
  return check_baseline(options, sysimage, list, error);
}
