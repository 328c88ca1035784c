// SPDX-License-Identifier: MIT
//
// include/pkgimg/cpu.h: this machine and target strings, for people who ask.
#include "base/array.h"
#include "cpuid/choose.h"
#include "cpuid/target.h"

#include <assert.h>
#include <pkgimg/cpu.h>
#include <stdlib.h>
#include <string.h>

struct pkgimg_cpu {
  struct cpu_host host;
  struct pkgimg_cpu_info info;
};

enum { NAMES_SIZE = 4096 };

enum { SHOWN_FLAGS = PKGIMG_CPU_CLONE_ALL | PKGIMG_CPU_NO_CLONE_ALL | PKGIMG_CPU_OPT_SIZE | PKGIMG_CPU_MIN_SIZE };
static_assert((int)PKGIMG_CPU_CLONE_ALL == (int)CPU_TARGET_CLONE_ALL &&
                  (int)PKGIMG_CPU_NO_CLONE_ALL == (int)CPU_TARGET_NO_CLONE_ALL &&
                  (int)PKGIMG_CPU_OPT_SIZE == (int)CPU_TARGET_OPT_SIZE &&
                  (int)PKGIMG_CPU_MIN_SIZE == (int)CPU_TARGET_MIN_SIZE,
              "flags of targets");

/// The strings of one target.
struct texts {
  struct cpu_target_text llvm;
  char features[NAMES_SIZE], missing[NAMES_SIZE];
};

struct pkgimg_cpu_targets {
  struct cpu_target_list list;
  struct pkgimg_cpu_target *shown;
  struct texts *texts;
};

static const struct cpu_isa *isa_of(const char *architecture)
{
  static const struct cpu_isa *const all[] = {&cpu_isa_x86_64, &cpu_isa_aarch64};
  if (!architecture)
    return cpu_isa_host();
  for (size_t i = 0; i < 2; i++)
    if (strcmp(all[i]->name, architecture) == 0)
      return all[i];
  return NULL;
}

// ---- this machine

enum pkgimg_status pkgimg_cpu_open(const char *mask, struct pkgimg_cpu **result, struct pkgimg_error *error)
{
  if (!result)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_cpu_open: a NULL result");
  struct pkgimg_cpu *cpu AUTO(free_pointer) = calloc(1, sizeof *cpu);
  if (!cpu)
    return fail_memory(error, sizeof *cpu);
  struct cpu_host *host = &cpu->host;
  TRY(cpu_host_open(mask, host, error));
  cpu->info = (struct pkgimg_cpu_info){.architecture = host->isa->name,
                                       .vendor = host->vendor,
                                       .brand = host->brand,
                                       .family = host->family,
                                       .model = host->model,
                                       .stepping = host->stepping,
                                       .llvm_name = host->llvm_name,
                                       .vector_bits = host->vector_bits,
                                       .features = cpu_count(&host->features),
                                       .hidden = cpu_count(&host->hidden)};
  *result = cpu;
  cpu = NULL;
  return PKGIMG_OK;
}

void pkgimg_cpu_close(struct pkgimg_cpu *cpu)
{
  free(cpu);
}

const struct pkgimg_cpu_info *pkgimg_cpu_info(const struct pkgimg_cpu *cpu)
{
  return &cpu->info;
}

static const char *nth_name(const struct cpu_isa *isa, const struct cpu_features *set, size_t index)
{
  for (unsigned i = 0; i < isa->feature_count; i++)
    if (cpu_has(set, i) && index-- == 0)
      return isa->features[i].name;
  return NULL;
}

const char *pkgimg_cpu_feature(const struct pkgimg_cpu *cpu, size_t index)
{
  return nth_name(cpu->host.isa, &cpu->host.features, index);
}

const char *pkgimg_cpu_hidden(const struct pkgimg_cpu *cpu, size_t index)
{
  return nth_name(cpu->host.isa, &cpu->host.hidden, index);
}

// ---- target strings

const char *pkgimg_cpu_target_string(const char *option)
{
  return cpu_target_pick(option).text;
}

static const struct pkgimg_cpu_targets_options no_options = {.size = sizeof no_options};

static enum pkgimg_status read_string(const struct pkgimg_cpu *cpu, const char *string,
                                      const struct pkgimg_cpu_targets_options *options,
                                      struct cpu_target_list *list, struct pkgimg_error *error)
{
  struct cpu_target_request request = {.isa = isa_of(options->architecture),
                                       .host = &cpu->host,
                                       .sysimage = options->sysimage,
                                       .what = options->what ? options->what : "--cpu-target",
                                       .text = string};
  if (!request.isa)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "architecture \"%s\": expected x86-64 or aarch64",
                options->architecture);
  return cpu_targets_parse(&request, list, error);
}

// One that the machine cannot run shows what is missing and has no rank.
static void show(const struct cpu_features *host, struct pkgimg_cpu_targets *targets, unsigned index,
                 unsigned max_vector_bits)
{
  const struct cpu_isa *isa = targets->list.isa;
  const struct cpu_target *target = &targets->list.targets[index];
  struct cpu_target_features needs = {target->features, target->vector_bits};
  struct cpu_explanation why = cpu_explain(host, &needs, max_vector_bits);
  struct texts *texts = &targets->texts[index];
  cpu_target_text(isa, target, &texts->llvm);
  targets->shown[index] = (struct pkgimg_cpu_target){
      .name = target->name,
      .llvm_cpu = texts->llvm.cpu,
      .llvm_features = texts->llvm.features,
      .features = cpu_features_text(isa, &target->features, " ", texts->features, NAMES_SIZE),
      .flags = target->flags & SHOWN_FLAGS,
      .base = target->base,
      .vector_bits = target->vector_bits,
      .usable = why.refusal == CPU_USABLE,
      .missing = cpu_features_text(isa, &why.missing, " ", texts->missing, NAMES_SIZE)};
}

static void rank(const struct cpu_features *host, struct pkgimg_cpu_targets *targets, unsigned max_vector_bits)
{
  struct cpu_target_features needs[CPU_TARGETS_MAX];
  struct cpu_ranking ranking;
  for (unsigned i = 0; i < targets->list.count; i++)
    needs[i] =
        (struct cpu_target_features){targets->list.targets[i].features, targets->list.targets[i].vector_bits};
  cpu_rank(host, needs, targets->list.count, max_vector_bits, &ranking);
  for (unsigned i = 0; i < ranking.count; i++)
    if (targets->shown[ranking.order[i]].usable)
      targets->shown[ranking.order[i]].chosen_rank = (int)i + 1;
}

static enum pkgimg_status fill(const struct pkgimg_cpu *cpu, struct pkgimg_cpu_targets *targets,
                               unsigned max_vector_bits, struct pkgimg_error *error)
{
  static const struct cpu_features nothing = {{0}};
  const struct cpu_features *host = targets->list.isa == cpu->host.isa ? &cpu->host.features : &nothing;
  unsigned count = targets->list.count;
  targets->shown = calloc(count + 1, sizeof *targets->shown);
  targets->texts = calloc(count + 1, sizeof *targets->texts);
  if (!targets->shown || !targets->texts)
    return fail_memory(error, (count + 1) * sizeof *targets->texts);
  for (unsigned i = 0; i < count; i++)
    show(host, targets, i, max_vector_bits);
  if (count)
    rank(host, targets, max_vector_bits);
  return PKGIMG_OK;
}

enum pkgimg_status pkgimg_cpu_targets_open(const struct pkgimg_cpu *cpu, const char *string,
                                           const struct pkgimg_cpu_targets_options *options,
                                           struct pkgimg_cpu_targets **result, struct pkgimg_error *error)
{
  if (!cpu || !string || !result)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_cpu_targets_open: a NULL argument");
  options = options ? options : &no_options;
  if (options->size != sizeof *options)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL,
                "struct pkgimg_cpu_targets_options: size: expected %zu, found %zu", sizeof *options,
                options->size);
  struct pkgimg_cpu_targets *targets = calloc(1, sizeof *targets);
  if (!targets)
    return fail_memory(error, sizeof *targets);
  enum pkgimg_status status = read_string(cpu, string, options, &targets->list, error);
  if (status == PKGIMG_OK)
    status = fill(cpu, targets, options->max_vector_bits, error);
  if (status == PKGIMG_OK)
    *result = targets;
  else
    pkgimg_cpu_targets_close(targets);
  return status;
}

void pkgimg_cpu_targets_close(struct pkgimg_cpu_targets *targets)
{
  if (!targets)
    return;
  free(targets->texts);
  free(targets->shown);
  free(targets);
}

size_t pkgimg_cpu_targets_count(const struct pkgimg_cpu_targets *targets)
{
  return targets->list.count;
}

const struct pkgimg_cpu_target *pkgimg_cpu_targets_at(const struct pkgimg_cpu_targets *targets, size_t index)
{
  return index < targets->list.count ? &targets->shown[index] : NULL;
}

// ---- names

const char *pkgimg_cpu_name(const char *architecture, size_t index)
{
  const struct cpu_isa *isa = isa_of(architecture);
  return isa && index < isa->model_count ? isa->models[index].name : NULL;
}

const char *pkgimg_cpu_feature_name(const char *architecture, size_t index)
{
  const struct cpu_isa *isa = isa_of(architecture);
  return isa && index < isa->feature_count ? isa->features[index].name : NULL;
}
