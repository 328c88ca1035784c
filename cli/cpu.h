// SPDX-License-Identifier: MIT
//
// What `pkgimg cpu` shows, and the two ways in which it does.
#ifndef CLI_CPU_H
#define CLI_CPU_H

#include <pkgimg/cpu.h>

#include <stdbool.h>

struct cpu_view {
  const struct pkgimg_cpu *cpu;
  const struct pkgimg_cpu_targets *targets;  ///< NULL: show the machine
  const char *architecture;                  ///< of the targets; NULL: this machine's
  bool names;                                ///< `--cpu-target help`: list names
};

void cpu_print_text(const struct cpu_view *view);
void cpu_print_json(const struct cpu_view *view);

#endif
