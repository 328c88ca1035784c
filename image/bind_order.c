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

enum rank { RANK_LOAD, RANK_LATER, RANK_UNUSED };

/// An earlier bundle of these images, and what its starts touched.
struct earlier {
  struct buffer bytes;
  struct bundle_header head;
  struct bundle_view view;
  struct page_set sets[PAGES_SETS];
  bool is_bundle, recorded;
};

static void earlier_deinit(struct earlier *earlier)
{
  for (int i = 0; i < PAGES_SETS; i++)
    page_set_deinit(&earlier->sets[i]);
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
  earlier->is_bundle = true;
  TRY(record_read(path, &earlier->head, &record, &pages, &ignored, error));
  for (int i = 0; i < PAGES_SETS; i++) {
    TRY(page_set_init(&earlier->sets[i], pages.head.file_pages, error));
    page_set_add_record(&earlier->sets[i], &pages, (enum pages_set)i);
  }
  earlier->recorded = true;
  return PKGIMG_OK;
}

static bool touches(const struct earlier *earlier, enum pages_set set, unsigned block, uint64_t offset,
                    uint64_t size)
{
  uint64_t start = earlier->head.blocks[block].file_offset + offset;
  for (uint64_t page = start / FORMAT_PAGE; page * FORMAT_PAGE < start + size; page++)
    if (page_set_has(&earlier->sets[set], (uint32_t)page))
      return true;
  return false;
}

static bool image_touched(const struct earlier *earlier, enum pages_set set, const struct bundle_image *image)
{
  unsigned first = (unsigned)(image->offset / BUNDLE_STRIDE) * BLOCK_COUNT;
  bool any = touches(earlier, set, first + BLOCK_H, image->heap % BUNDLE_STRIDE, image->heap_size);
  for (unsigned block = 0; block < BLOCK_H && !any; block++)
    any = touches(earlier, set, first + block, image->offset % BUNDLE_STRIDE, image->slot_size);
  return any;
}

/// An image, and what it is sorted by.
struct keyed {
  uint64_t key;
  uint32_t number;
};

// Known by their names: an image that was built anew is used as before. Without a new record the order of an
// earlier one stays.
static uint64_t key_of(const struct earlier *earlier, const char *name)
{
  uint32_t number = earlier->is_bundle ? bundle_find_name(earlier->view, name) : BUNDLE_NONE;
  if (number == BUNDLE_NONE)
    return earlier->recorded ? RANK_UNUSED : UINT64_MAX;
  const struct bundle_image *image = bundle_image(earlier->view, number);
  if (!earlier->recorded)
    return image->offset;
  if (image_touched(earlier, PAGES_OF_LOAD, image))
    return RANK_LOAD;
  return image_touched(earlier, PAGES_LATER, image) ? RANK_LATER : RANK_UNUSED;
}

static int by_key(const void *left, const void *right)
{
  const struct keyed *a = left, *b = right;
  return a->key != b->key ? (a->key > b->key) - (a->key < b->key)
                          : (a->number > b->number) - (a->number < b->number);
}

// Whether the images of an earlier bundle lie otherwise than in the order of loading.
static bool is_ordered(const struct earlier *earlier)
{
  const uint32_t *order = earlier->is_bundle ? bundle_table(earlier->view, &earlier->head.order) : NULL;
  uint32_t i = 0;
  while (order && i < earlier->head.order.count && order[i] == i)
    i++;
  return order && i < earlier->head.order.count;
}

static enum pkgimg_status order_by(struct binder *binder, const struct earlier *earlier)
{
  struct keyed *images AUTO(free_pointer) = calloc(binder->deps.count, sizeof *images);
  binder->order = calloc(binder->deps.count, sizeof *binder->order);
  if (!images || !binder->order)
    return fail_memory(binder->error, binder->deps.count * sizeof *images);
  bool sorts = earlier->recorded || is_ordered(earlier);
  for (size_t i = 0; i < binder->deps.count; i++)
    images[i] = (struct keyed){sorts ? key_of(earlier, binder->deps.items[i]->name) : 0, (uint32_t)i};
  qsort(images, binder->deps.count, sizeof *images, by_key);
  for (size_t i = 0; i < binder->deps.count; i++)
    binder->order[i] = images[i].number;
  return PKGIMG_OK;
}

// A record that is asked for must be there; that of the bundle that is replaced is used if it can be.
enum pkgimg_status binder_order(struct binder *binder)
{
  struct earlier earlier AUTO(earlier_deinit) = {0};
  const char *asked = binder->options->record;
  enum pkgimg_status status =
      read_earlier(asked ? asked : binder->options->output, &earlier, asked ? binder->error : NULL);
  if (asked)
    TRY(status);
  return order_by(binder, &earlier);
}
