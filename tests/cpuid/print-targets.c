// SPDX-License-Identifier: MIT
//
// print-targets x86-64|aarch64: reads target strings of one target each, a line each, and prints for each the
// features that LLVM then has, sorted by number: what it lists for the CPU and what is turned on, without what is
// turned off. With a second argument: prints the strings for LLVM instead, CPU and features.
#include "cpuid/target.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

static int print(const struct cpu_isa *isa, const char *text, bool for_llvm)
{
  static struct cpu_target_list list;
  struct cpu_target_request request = {.isa = isa, .what = "stdin", .text = text};
  struct cpu_target_text llvm;
  struct pkgimg_error error;
  char names[4096];
  if (cpu_targets_parse(&request, &list, &error)) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  struct cpu_target *target = &list.targets[0];
  cpu_target_text(isa, target, &llvm);
  struct cpu_features all = cpu_union(&target->features, &target->model->features);
  all = cpu_without(&all, &target->off);
  if (for_llvm)
    printf("%s %s\n", llvm.cpu, llvm.features);
  else
    puts(cpu_features_text(isa, &all, " ", names, sizeof names));
  return 0;
}

int main(int argc, char **argv)
{
  char line[4096];
  int result = 0;
  const struct cpu_isa *isa = argc > 1 && strcmp(argv[1], "aarch64") == 0 ? &cpu_isa_aarch64 : &cpu_isa_x86_64;
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    result |= print(isa, line, argc > 2);
  }
  return result;
}
