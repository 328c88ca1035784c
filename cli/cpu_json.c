// SPDX-License-Identifier: MIT
//
// `pkgimg cpu --json`: one object.
#include "cli/cpu.h"
#include "cli/json.h"

#include <stdio.h>
#include <string.h>

static void put_list(struct json *json, const char *key, const struct pkgimg_cpu *cpu,
                     const char *(*get)(const struct pkgimg_cpu *cpu, size_t index))
{
  const char *name;
  json_open(json, key, '[');
  for (size_t i = 0; (name = get(cpu, i)); i++)
    json_string(json, NULL, name);
  json_close(json, ']');
}

static void put_machine(struct json *json, const struct pkgimg_cpu *cpu)
{
  const struct pkgimg_cpu_info *info = pkgimg_cpu_info(cpu);
  json_string(json, "architecture", info->architecture);
  json_string(json, "vendor", info->vendor);
  json_string(json, "brand", info->brand);
  json_unsigned(json, "family", info->family);
  json_unsigned(json, "model", info->model);
  json_unsigned(json, "stepping", info->stepping);
  json_string(json, "llvm_name", info->llvm_name);
  json_unsigned(json, "vector_bits", info->vector_bits);
  put_list(json, "features", cpu, pkgimg_cpu_feature);
  put_list(json, "hidden", cpu, pkgimg_cpu_hidden);
}

static void put_words(struct json *json, const char *key, const char *words)
{
  json_open(json, key, '[');
  while (*words) {
    char word[64];
    size_t length = strcspn(words, " ");
    snprintf(word, sizeof word, "%.*s", (int)length, words);
    json_string(json, NULL, word);
    words += length;
    words += strspn(words, " ");
  }
  json_close(json, ']');
}

static void put_target(struct json *json, const struct pkgimg_cpu_target *target)
{
  json_open(json, NULL, '{');
  json_string(json, "name", target->name);
  json_string(json, "llvm_cpu", target->llvm_cpu);
  json_string(json, "llvm_features", target->llvm_features);
  put_words(json, "features", target->features);
  json_truth(json, "clone_all", target->flags & PKGIMG_CPU_CLONE_ALL);
  json_truth(json, "no_clone_all", target->flags & PKGIMG_CPU_NO_CLONE_ALL);
  json_truth(json, "opt_size", target->flags & PKGIMG_CPU_OPT_SIZE);
  json_truth(json, "min_size", target->flags & PKGIMG_CPU_MIN_SIZE);
  json_unsigned(json, "base", target->base);
  json_unsigned(json, "vector_bits", target->vector_bits);
  json_truth(json, "usable", target->usable);
  json_signed(json, "choice", target->chosen_rank);
  put_words(json, "missing", target->missing);
  json_close(json, '}');
}

static void put_names(struct json *json, const char *key, const char *architecture,
                      const char *(*get)(const char *architecture, size_t index))
{
  const char *name;
  json_open(json, key, '[');
  for (size_t i = 0; (name = get(architecture, i)); i++)
    json_string(json, NULL, name);
  json_close(json, ']');
}

static void put_targets(struct json *json, const struct pkgimg_cpu_targets *targets)
{
  const struct pkgimg_cpu_target *target;
  json_open(json, "targets", '[');
  for (size_t i = 0; (target = pkgimg_cpu_targets_at(targets, i)); i++)
    put_target(json, target);
  json_close(json, ']');
}

void cpu_print_json(const struct cpu_view *view)
{
  struct json json = {.file = stdout};
  json_open(&json, NULL, '{');
  if (!view->targets)
    put_machine(&json, view->cpu);
  else if (view->names) {
    put_names(&json, "cpus", view->architecture, pkgimg_cpu_name);
    put_names(&json, "features", view->architecture, pkgimg_cpu_feature_name);
  } else
    put_targets(&json, view->targets);
  json_close(&json, '}');
  putchar('\n');
}
