// SPDX-License-Identifier: MIT
#include "image/areas.h"

#include <sys/mman.h>

enum { AREA_H = AREA_COUNT };
static_assert(PKGIMG_AREA_COUNT == AREA_COUNT + 1, "the public number of areas");

static struct pkgimg_area describe(unsigned kind, uint64_t base, const struct disk_area *area)
{
  static const struct {
    const char *name;
    int protection;
  } kinds[PKGIMG_AREA_COUNT] = {[AREA_R] = {"R", PROT_READ | PROT_EXEC},  // one mapping with X
                                [AREA_X] = {"X", PROT_READ | PROT_EXEC},
                                [AREA_L] = {"L", PROT_READ},
                                [AREA_W] = {"W", PROT_READ | PROT_WRITE},
                                [AREA_H] = {"H", PROT_READ | PROT_WRITE}};
  return (struct pkgimg_area){.name = kinds[kind].name,
                              .address = base + area->address,
                              .memory_size = area->memory_size,
                              .file_offset = area->file_offset,
                              .file_size = area->file_size,
                              .protection = kinds[kind].protection};
}

void areas_describe(const struct disk_geometry *geometry, uint64_t base, const struct disk_area *heap,
                    struct pkgimg_area areas[PKGIMG_AREA_COUNT])
{
  for (unsigned i = 0; i < AREA_COUNT; i++)
    areas[i] = describe(i, base, &geometry->areas[i]);
  areas[AREA_H] = describe(AREA_H, 0, heap);
}
