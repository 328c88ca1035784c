// SPDX-License-Identifier: MIT
//
// Pages of images that this process does not share, as the kernel counts them.
#include "image/bundle_parts.h"
#include "image/lock.h"

#include <fcntl.h>
#include <unistd.h>

/// A walk over all memory of images.
struct census {
  int fd;  // of /proc/self/pagemap
  void (*visit)(void *context, const struct pkgimg_pages *pages);
  void *context;
  struct pkgimg_error *error;
};

static void census_deinit(struct census *census)
{
  if (census->fd >= 0)
    close(census->fd);
}

// Documentation/admin-guide/mm/pagemap.rst: a page that is present or swapped, and neither a file's nor shared memory.
static uint64_t count_private(const uint64_t *entries, size_t count)
{
  const uint64_t present = 1ull << 63, swapped = 1ull << 62, of_file = 1ull << 61;
  uint64_t total = 0;
  for (size_t i = 0; i < count; i++)
    total += entries[i] & (present | swapped) && !(entries[i] & of_file);
  return total;
}

static enum pkgimg_status count_range(const struct census *census, uint64_t address, uint64_t size, uint64_t *total)
{
  enum { BATCH = 512 };
  uint64_t entries[BATCH];
  uint64_t page = address / FORMAT_PAGE, end = (address + size + FORMAT_PAGE - 1) / FORMAT_PAGE;
  while (page < end) {
    size_t wanted = end - page < BATCH ? end - page : BATCH;
    ssize_t got = pread(census->fd, entries, wanted * sizeof *entries, (off_t)(page * sizeof *entries));
    if (got != (ssize_t)(wanted * sizeof *entries))
      return fail_system(census->error, "/proc/self/pagemap", "read");
    *total += count_private(entries, wanted);
    page += wanted;
  }
  return PKGIMG_OK;
}

static enum pkgimg_status report(const struct census *census, const char *image, enum pkgimg_pages_of of,
                                 uint64_t address, uint64_t size)
{
  struct pkgimg_pages pages = {.image = image, .of = of};
  TRY(count_range(census, address, size, &pages.count));
  if (pages.count)
    census->visit(census->context, &pages);
  return PKGIMG_OK;
}

static enum pkgimg_status report_areas(const struct census *census, const char *image,
                                       const struct disk_geometry *geometry, uint64_t base)
{
  const struct disk_area *areas = geometry->areas;
  TRY(report(census, image, PKGIMG_PAGES_CODE, base + areas[AREA_R].address, areas[AREA_R].memory_size));
  TRY(report(census, image, PKGIMG_PAGES_CODE, base + areas[AREA_X].address, areas[AREA_X].memory_size));
  TRY(report(census, image, PKGIMG_PAGES_CONSTANTS, base + areas[AREA_L].address, areas[AREA_L].memory_size));
  return report(census, image, PKGIMG_PAGES_DATA, base + areas[AREA_W].address, areas[AREA_W].memory_size);
}

static enum pkgimg_status report_image(const struct census *census, const struct pkgimg_image *image)
{
  TRY(report_areas(census, image->name, &image->geometry, image_base(image)));
  return report(census, image->name, PKGIMG_PAGES_HEAP, (uint64_t)image->heap, image->heap_size);
}

// All images of a bundle, since code of one that nobody asked for can write its data.
static enum pkgimg_status report_bundle(const struct census *census, const struct bundle *bundle)
{
  const struct bundle_header *head = &bundle->head;
  struct reader reader = reader_of(bundle, census->error);
  for (uint32_t i = 0; i < head->images.count; i++) {
    const struct bundle_image *entry = entry_at(bundle, i);
    const char *name = string_at(bundle, entry->name);
    TRY(bundle_image_check(&reader, view_of(bundle), i));
    TRY(report_areas(census, name, &entry->geometry, head->base + entry->offset));
    TRY(report(census, name, PKGIMG_PAGES_HEAP, head->base + FORMAT_H_START + entry->heap, entry->heap_size));
  }
  TRY(report(census, bundle->path, PKGIMG_PAGES_GATE, head->base + FORMAT_W_START + head->slots,
             bundle_slots_size(head)));
  return report(census, bundle->path, PKGIMG_PAGES_TYPES, head->base + FORMAT_W_START + head->type_chunks,
                head->types.count ? bundle_chunks_size(head->types.count) : 0);
}

enum pkgimg_status pkgimg_runtime_pages(struct pkgimg_runtime *runtime,
                                        void (*visit)(void *context, const struct pkgimg_pages *pages), void *context,
                                        struct pkgimg_error *error)
{
  if (!runtime || !visit)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_runtime_pages: no runtime or no function");
  LOCKED;
  struct census census AUTO(census_deinit) = {.fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC),
                                              .visit = visit,
                                              .context = context,
                                              .error = error};
  if (census.fd < 0)
    return fail_system(error, "/proc/self/pagemap", "open");
  for (const struct pkgimg_image *image = runtime->first; image; image = image->next)
    if (!image->bundle)
      TRY(report_image(&census, image));
  for (const struct bundle *bundle = runtime->bundles; bundle; bundle = bundle->next)
    TRY(report_bundle(&census, bundle));
  return PKGIMG_OK;
}

const char *pkgimg_pages_name(enum pkgimg_pages_of of)
{
  static const char *const names[PKGIMG_PAGES_COUNT] = {"code", "constants", "data", "heap", "gate", "types"};
  return (unsigned)of < PKGIMG_PAGES_COUNT ? names[of] : "unknown";
}
