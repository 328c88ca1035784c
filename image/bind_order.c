// SPDX-License-Identifier: MIT
//
// The order of images in the blocks of a bundle: those that a recorded start touched come first, so that their
// pages lie together. Functions inside of an image stay where the linker put them.
#include "format/pages.h"
#include "image/binder.h"
#include "image/record.h"
#include "linker/linker.h"

#include <stdlib.h>
#include <string.h>

enum rank { RANK_LOAD, RANK_LATER, RANK_UNUSED, RANKS };

/// An earlier bundle of these images, and what its starts touched.
struct earlier {
  struct buffer bytes;
  struct bundle_header head;
  struct bundle_view view;
  roaring_bitmap_t *sets[PAGES_SETS];
};

static void earlier_deinit(struct earlier *earlier)
{
  for (int i = 0; i < PAGES_SETS; i++)
    if (earlier->sets[i])
      roaring_bitmap_free(earlier->sets[i]);
  buffer_deinit(&earlier->bytes);
}

static enum pkgimg_status read_earlier(const char *path, struct earlier *earlier, struct pkgimg_error *error)
{
  struct buffer record AUTO(buffer_deinit) = {0};
  struct map_counts ignored = {0};
  struct pages pages;
  TRY(file_read(path, &earlier->bytes, error));
  struct reader reader = {.file = path, .bytes = {earlier->bytes.data, earlier->bytes.size}, .error = error};
  TRY(bundle_file_read(&reader, &earlier->head, &earlier->view));
  TRY(record_read(path, &earlier->head, &record, &pages, &ignored, error));
  for (int i = 0; i < PAGES_SETS; i++) {
    earlier->sets[i] = roaring_bitmap_create();
    if (!earlier->sets[i])
      return fail_memory(error, sizeof *earlier->sets[i]);
    record_add_set(&pages, (enum pages_set)i, earlier->sets[i]);
  }
  return PKGIMG_OK;
}

static bool touches(const struct earlier *earlier, enum pages_set set, int block, uint64_t offset, uint64_t size)
{
  uint64_t start = earlier->head.blocks[block].file_offset + offset;
  return roaring_bitmap_range_cardinality(earlier->sets[set], start / FORMAT_PAGE,
                                          (start + size + FORMAT_PAGE - 1) / FORMAT_PAGE) > 0;
}

static bool image_touched(const struct earlier *earlier, enum pages_set set, const struct bundle_image *image)
{
  bool any = image->heap_size && touches(earlier, set, BLOCK_H, image->heap, image->heap_size);
  for (int block = 0; block < BLOCK_H && !any; block++)
    any = touches(earlier, set, block, image->offset, image->slot_size);
  return any;
}

// By name: an image that was built anew is used as before.
static enum rank rank_of(const struct earlier *earlier, const char *name)
{
  uint32_t number = bundle_find_name(earlier->view, name);
  if (number == BUNDLE_NONE)
    return RANK_UNUSED;
  const struct bundle_image *image = bundle_image(earlier->view, number);
  if (image_touched(earlier, PAGES_OF_LOAD, image))
    return RANK_LOAD;
  return image_touched(earlier, PAGES_LATER, image) ? RANK_LATER : RANK_UNUSED;
}

// Without a record all have the same rank, and the order of loading is kept.
static enum pkgimg_status order_by(struct binder *binder, const struct earlier *earlier)
{
  uint8_t *ranks AUTO(free_pointer) = calloc(binder->deps.count, 1);
  size_t placed = 0;
  if (!ranks)
    return fail_memory(binder->error, binder->deps.count);
  for (size_t i = 0; i < binder->deps.count; i++)
    ranks[i] = earlier ? (uint8_t)rank_of(earlier, binder->deps.items[i]->name) : RANK_UNUSED;
  for (int rank = 0; rank < RANKS; rank++)
    for (size_t i = 0; i < binder->deps.count; i++)
      if (ranks[i] == rank)
        binder->places[placed++] = (uint32_t)i;
  return PKGIMG_OK;
}

// A record that is asked for must be there; that of the bundle that is replaced is used if it can be.
enum pkgimg_status binder_order(struct binder *binder)
{
  struct earlier earlier AUTO(earlier_deinit) = {0};
  const char *asked = binder->options->record;
  binder->places = calloc(binder->deps.count, sizeof *binder->places);
  if (!binder->places)
    return fail_memory(binder->error, binder->deps.count * sizeof *binder->places);
  enum pkgimg_status status =
      read_earlier(asked ? asked : binder->options->output, &earlier, asked ? binder->error : NULL);
  if (asked)
    TRY(status);
  return order_by(binder, status == PKGIMG_OK ? &earlier : NULL);
}
