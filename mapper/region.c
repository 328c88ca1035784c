// SPDX-License-Identifier: MIT
#include "mapper/mapper.h"
#include "mapper/mapping.h"

#include <errno.h>
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
  void *probe = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  counts->system_calls += 2;
  if (probe == MAP_FAILED)
    return fail_system(error, NULL, "looking for 2 GiB of free address space (is there a limit on it?)");
  munmap(probe, size);
  struct region *region = calloc(1, sizeof *region);
  if (!region)
    return fail_memory(error, sizeof *region);
  region->base = probe;
  *result = region;
  return PKGIMG_OK;
}

void region_destroy(struct region *region) { free(region); }

static uint8_t *at(const struct region *region, enum area area, uint64_t offset)
{
  return region->base + FORMAT_AREA_START(area) + offset;
}

enum pkgimg_status fail_mapping(const char *file, struct pkgimg_error *error)
{
  if (errno == EEXIST)
    return fail(error, PKGIMG_BUSY, file, "something else of the process lies where the image should go");
  return fail_system(error, file, "mmap");
}

static enum pkgimg_status open_area(const struct region *region, enum area area, uint64_t offset, uint64_t size,
                                    struct map_counts *counts, struct pkgimg_error *error)
{
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  counts->system_calls++;
  counts->mappings++;
  if (mmap(at(region, area, offset), size, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
    return fail_mapping(NULL, error);
  return PKGIMG_OK;
}

enum pkgimg_status region_open(struct region *region, uint64_t offset, uint64_t size, struct map_counts *counts,
                               struct pkgimg_error *error)
{
  TRY(open_area(region, AREA_L, offset, size, counts, error));
  enum pkgimg_status status = open_area(region, AREA_W, offset, size, counts, error);
  if (status != PKGIMG_OK)
    munmap(at(region, AREA_L, offset), size);
  return status;
}

enum pkgimg_status region_seal(struct region *region, uint64_t offset, uint64_t size, struct map_counts *counts,
                               struct pkgimg_error *error)
{
  counts->system_calls++;
  if (mprotect(at(region, AREA_L, offset), size, PROT_READ) < 0)
    return fail_system(error, NULL, "mprotect");
  return PKGIMG_OK;
}

void region_close(struct region *region, uint64_t offset, uint64_t size)
{
  munmap(at(region, AREA_L, offset), size);
  munmap(at(region, AREA_W, offset), size);
}
