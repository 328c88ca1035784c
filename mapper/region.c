// SPDX-License-Identifier: MIT
#include "mapper/mapper.h"

#include <stdlib.h>
#include <sys/mman.h>

static uint64_t round_page(uint64_t size) { return (size + FORMAT_PAGE - 1) & ~(uint64_t)(FORMAT_PAGE - 1); }

uint64_t slot_size(const struct disk_geometry *geometry)
{
  uint64_t largest = FORMAT_PAGE;
  for (int i = 0; i < AREA_COUNT; i++)
    if (geometry->areas[i].memory_size > largest)
      largest = geometry->areas[i].memory_size;
  return round_page(largest);
}

enum pkgimg_status region_create(struct region **result, struct map_counts *counts, struct pkgimg_error *error)
{
  const size_t size = AREA_COUNT * FORMAT_AREA_STEP;
  struct region *region = calloc(1, sizeof *region);
  if (!region)
    return fail_memory(error, sizeof *region);
  region->base = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  counts->system_calls++;
  counts->mappings++;
  if (region->base == MAP_FAILED) {
    free(region);
    return fail_system(error, NULL, "reserving 2 GiB of address space (is there a limit on it?)");
  }
  *result = region;
  return PKGIMG_OK;
}

void region_destroy(struct region *region)
{
  if (!region)
    return;
  munmap(region->base, AREA_COUNT * FORMAT_AREA_STEP);
  free(region);
}

static uint8_t *at(const struct region *region, enum area area, uint64_t offset)
{
  return region->base + FORMAT_AREA_START(area) + offset;
}

static enum pkgimg_status protect(const struct region *region, enum area area, uint64_t offset, uint64_t size,
                                  int protection, struct map_counts *counts, struct pkgimg_error *error)
{
  counts->system_calls++;
  if (mprotect(at(region, area, offset), size, protection) < 0)
    return fail_system(error, NULL, "mprotect");
  return PKGIMG_OK;
}

enum pkgimg_status region_open(struct region *region, uint64_t offset, uint64_t size, struct map_counts *counts,
                               struct pkgimg_error *error)
{
  TRY(protect(region, AREA_L, offset, size, PROT_READ | PROT_WRITE, counts, error));
  return protect(region, AREA_W, offset, size, PROT_READ | PROT_WRITE, counts, error);
}

enum pkgimg_status region_seal(struct region *region, uint64_t offset, uint64_t size, struct map_counts *counts,
                               struct pkgimg_error *error)
{
  return protect(region, AREA_L, offset, size, PROT_READ, counts, error);
}

void region_clear(struct region *region, uint64_t offset, uint64_t size)
{
  for (int area = 0; area < AREA_COUNT; area++)
    mmap(at(region, area, offset), size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}
