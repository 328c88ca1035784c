// SPDX-License-Identifier: MIT
#include "image/areas.h"

#include <sys/mman.h>

static_assert(PKGIMG_AREA_COUNT == AREA_COUNT, "the public number of areas");

void areas_describe(const struct disk_geometry *geometry, uint64_t base, struct pkgimg_area areas[AREA_COUNT])
{
  static const struct {
    const char *name;
    int protection;
  } kinds[AREA_COUNT] = {[AREA_R] = {"R", PROT_READ | PROT_EXEC},  // one mapping with X
                         [AREA_X] = {"X", PROT_READ | PROT_EXEC},
                         [AREA_L] = {"L", PROT_READ},
                         [AREA_W] = {"W", PROT_READ | PROT_WRITE}};
  for (int i = 0; i < AREA_COUNT; i++) {
    const struct disk_area *area = &geometry->areas[i];
    areas[i] = (struct pkgimg_area){.name = kinds[i].name,
                                    .address = base + area->address,
                                    .memory_size = area->memory_size,
                                    .file_offset = area->file_offset,
                                    .file_size = area->file_size,
                                    .protection = kinds[i].protection};
  }
}
