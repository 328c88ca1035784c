// SPDX-License-Identifier: MIT
#include "mapper/mapper.h"
#include "mapper/mapping.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

static uint64_t round_page(uint64_t size)
{
  return (size + FORMAT_PAGE - 1) & ~(uint64_t)(FORMAT_PAGE - 1);
}

uint64_t slot_size(const struct disk_geometry *geometry)
{
  const struct disk_area *areas = geometry->areas;
  const uint64_t sizes[] = {areas[AREA_X].address + areas[AREA_X].memory_size, areas[AREA_L].memory_size,
                            areas[AREA_W].memory_size};
  uint64_t largest = FORMAT_PAGE;
  for (int i = 0; i < 3; i++)
    if (sizes[i] > largest)
      largest = sizes[i];
  return round_page(largest);
}

enum pkgimg_status fail_mapping(const char *file, struct pkgimg_error *error)
{
  if (errno == EEXIST)
    return fail(error, PKGIMG_BUSY, file, "something else of the process lies where the image should go");
  return fail_system(error, file, "mmap");
}

static void *map_memory(void *at, uint64_t size, int more_flags, struct map_counts *counts)
{
  counts->system_calls++;
  counts->mappings++;
  return mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | more_flags, -1, 0);
}

// Where W goes. The kernel's own choice is next to other mappings, with much room below it: R, X and
// L nearly always fit there.
static void *place_of_data(uint64_t size, bool search, struct map_counts *counts)
{
  const uint64_t all = FORMAT_W_START + size;
  if (!search)
    return NULL;
  uint8_t *probe = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  counts->system_calls += 2;
  if (probe == MAP_FAILED)
    return NULL;
  munmap(probe, all);
  return probe + FORMAT_W_START;
}

static enum pkgimg_status map_areas(struct region *region, bool search, uint64_t place, struct map_counts *counts,
                                    struct pkgimg_error *error)
{
  uint8_t *wish = place ? (uint8_t *)place + FORMAT_W_START : place_of_data(region->size, search, counts);
  uint8_t *data = map_memory(wish, region->size, wish ? MAP_FIXED_NOREPLACE : 0, counts);
  if (data == MAP_FAILED)
    return fail_mapping(NULL, error);
  region->base = data - FORMAT_W_START;
  if (map_memory(region->base + FORMAT_L_START, region->size, MAP_FIXED_NOREPLACE, counts) != MAP_FAILED)
    return PKGIMG_OK;
  enum pkgimg_status status = fail_mapping(NULL, error);
  munmap(data, region->size);
  return status;
}

enum pkgimg_status region_create(uint64_t size, bool search, uint64_t place, struct region **result,
                                 struct map_counts *counts, struct pkgimg_error *error)
{
  struct region *region = calloc(1, sizeof *region);
  if (!region)
    return fail_memory(error, sizeof *region);
  region->size = size;
  region->holders = 1;
  enum pkgimg_status status = map_areas(region, search, place, counts, error);
  if (status == PKGIMG_OK)
    *result = region;
  else
    free(region);
  return status;
}

static void unmap_writable(struct region *region, uint64_t offset, uint64_t size)
{
  if (size == 0)
    return;
  munmap(region->base + FORMAT_L_START + offset, size);
  munmap(region->base + FORMAT_W_START + offset, size);
}

static void end_hold(struct region *region)
{
  if (--region->holders == 0)
    free(region);
}

void region_drop(struct region *region)
{
  if (!region)
    return;
  unmap_writable(region, region->taken, region->size - region->taken);
  end_hold(region);
}

struct slot slot_take(struct region *region, uint64_t size)
{
  struct slot slot = {.region = region, .offset = region->taken, .size = size};
  region->taken += size;
  region->holders++;
  return slot;
}

void slot_release(struct slot *slot)
{
  unmap_writable(slot->region, slot->offset, slot->size);
  end_hold(slot->region);
}

enum pkgimg_status region_seal(struct region *region, struct map_counts *counts, struct pkgimg_error *error)
{
  counts->system_calls++;
  if (mprotect(region->base + FORMAT_L_START, region->taken, PROT_READ) < 0)
    return fail_system(error, NULL, "mprotect");
  return PKGIMG_OK;
}
