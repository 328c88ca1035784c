// SPDX-License-Identifier: MIT
//
// What the tables of an image say of its baseline, for builds and for loads.
#ifndef IMAGE_BASELINE_H
#define IMAGE_BASELINE_H

#include "cpuid/baseline.h"
#include "format/view.h"

static inline bool is_sysimage(const struct tables *tables)
{
  return tables->head->flags & FORMAT_SYSIMAGE;
}

static inline struct cpu_baseline tables_baseline(const char *file, const struct tables *tables)
{
  const struct disk_target *first = tables->target_count ? tables->targets : NULL;
  return cpu_baseline(cpu_isa_of_machine(FORMAT_HOST_MACHINE), file, first ? tables->strings + first->name : NULL,
                      first ? first->features : NULL);
}

#endif
