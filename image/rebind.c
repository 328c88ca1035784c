// SPDX-License-Identifier: MIT
//
// pkgimg_bind: where a bundle is already, it may be the one that is asked for, and stays then.
#include "format/bundle_view.h"
#include "image/binder.h"
#include "image/bundle_files.h"
#include "linker/linker.h"
#include "mapper/mapper.h"

#include <fcntl.h>
#include <string.h>

/// The bundle that is at the output already, if there is one.
struct before {
  bool is_bundle;
  struct bundle_header head;
  struct buffer code;
};

static void before_deinit(struct before *before)
{
  buffer_deinit(&before->code);
}

static enum pkgimg_status read_code(const struct image_handle *handle, struct before *before)
{
  _Alignas(8) uint8_t head[FORMAT_HEAD];
  struct map_counts counts = {0};
  size_t size = 0;
  uint64_t file_size;
  TRY(image_pread(handle, head, sizeof head, 0, &size, &counts, NULL));
  struct reader reader = {.file = handle->path, .bytes = {head, size}};
  TRY(bundle_header_read(&reader, &before->head));
  TRY(image_size(handle, &file_size, &counts, NULL));
  if (file_size != bundle_size(&before->head))
    return PKGIMG_TRUNCATED;
  TRY(buffer_renew(&before->code, before->head.blocks[BLOCK_CODE].size, NULL));
  return image_pread(handle, before->code.data, before->code.size, 0, NULL, &counts, NULL);
}

// What is there may be anything: then it is as if nothing were.
static void before_read(const char *path, struct before *before)
{
  struct map_counts counts = {0};
  struct image_handle handle;
  if (image_open(AT_FDCWD, path, path, &handle, &counts, NULL) != PKGIMG_OK)
    return;
  before->is_bundle = read_code(&handle, before) == PKGIMG_OK;
  image_close(&handle, &counts);
}

static struct bundle_view view_of(const struct before *before)
{
  return (struct bundle_view){&before->head, before->code.data};
}

static uint64_t before_count(const struct before *before, const struct deps *deps)
{
  uint64_t count = 0;
  for (size_t i = 0; before->is_bundle && i < deps->count; i++)
    count += bundle_find_id(view_of(before), deps->items[i]->file.header.geometry.build_id) != BUNDLE_NONE;
  return count;
}

// The same images in the same order, drawn in the same way: likely the same bundle, if it gets the same place.
static bool before_alike(const struct before *before, const struct binder *binder)
{
  const struct bundle_header *head = &before->head;
  if (!before->is_bundle || head->images.count != binder->deps.count ||
      head->aslr != (uint32_t)binder->options->aslr)
    return false;
  for (uint32_t i = 0; i < head->images.count; i++)
    if (memcmp(bundle_image(view_of(before), i)->geometry.build_id,
               binder->deps.items[i]->file.header.geometry.build_id, 16) != 0)
      return false;
  return true;
}

static bool before_same(const struct binder *binder)
{
  struct buffer bytes AUTO(buffer_deinit) = {0};
  uint64_t at = 0;
  if (file_read(binder->options->output, &bytes, NULL) != PKGIMG_OK)
    return false;
  for (unsigned i = 0; i < bundle_block_count(&binder->head); at += binder->blocks[i++].size)
    if (!range_within(at, binder->blocks[i].size, bytes.size) ||
        (binder->blocks[i].size && memcmp(bytes.data + at, binder->blocks[i].data, binder->blocks[i].size) != 0))
      return false;
  return at == bytes.size;
}

// ---- from beginning to end

static enum pkgimg_status publish(struct binder *binder)
{
  struct span parts[BUNDLE_BLOCKS];
  for (unsigned i = 0; i < bundle_block_count(&binder->head); i++)
    parts[i] = (struct span){binder->blocks[i].data, binder->blocks[i].size};
  return file_publish_parts(binder->options->output, parts, bundle_block_count(&binder->head), 0666,
                            binder->error);
}

static void fill_report(struct binder *binder, const struct before *before, bool unchanged)
{
  struct pkgimg_bind_report *report = &binder->report;
  report->images = binder->deps.count;
  report->regions = binder->regions;
  report->base = binder->base;
  report->gates = binder->gates.count;
  report->residuals = binder->residual_count;
  report->replaced = before->is_bundle && !unchanged;
  report->images_before = before_count(before, &binder->deps);
  report->unchanged = unchanged;
}

/// A bundle in the making, beside what is there already.
struct attempt {
  const struct before *before;
  bool borrow;  ///< the place of that, if it is likely to be the same again
  bool vain;    ///< it was not
};

static enum pkgimg_status bind_all(struct binder *binder, struct attempt *attempt)
{
  TRY(binder_begin(binder));
  attempt->borrow = attempt->borrow && !binder->options->base && before_alike(attempt->before, binder);
  binder->base = attempt->borrow ? attempt->before->head.base : binder->options->base;
  TRY(binder_make(binder));
  bool unchanged = before_alike(attempt->before, binder) && before_same(binder);
  attempt->vain = attempt->borrow && !unchanged;
  fill_report(binder, attempt->before, unchanged);
  if (attempt->vain)
    return PKGIMG_OK;
  if (!unchanged)
    TRY(publish(binder));
  bundle_note_main(binder->options->output, (struct bundle_view){&binder->head, binder->blocks[BLOCK_CODE].data});
  return PKGIMG_OK;
}

static enum pkgimg_status try_bind(const struct pkgimg_bind_options *options, struct attempt *attempt,
                                   struct pkgimg_bind_report *report, struct pkgimg_error *error)
{
  struct binder binder AUTO(binder_deinit) = {.options = options, .error = error};
  TRY(bind_all(&binder, attempt));
  if (report)
    *report = binder.report;
  return PKGIMG_OK;
}

enum pkgimg_status pkgimg_bind(const struct pkgimg_bind_options *options, struct pkgimg_bind_report *report,
                               struct pkgimg_error *error)
{
  if (!options || options->size != sizeof *options)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "struct pkgimg_bind_options: size: expected %zu, found %zu",
                sizeof *options, options ? options->size : 0);
  if (!options->output || !options->image_count || !options->images || options->aslr > PKGIMG_ASLR_PROCESS)
    return fail(error, PKGIMG_INVALID_ARGUMENT, options->output,
                "pkgimg_bind: no output, no image, or unknown aslr");
  struct before before AUTO(before_deinit) = {0};
  struct attempt attempt = {.before = &before, .borrow = true};
  before_read(options->output, &before);
  TRY(try_bind(options, &attempt, report, error));
  if (!attempt.vain)
    return PKGIMG_OK;
  attempt.borrow = false;  // other code was chosen, or the machine has restarted: another place, then
  return try_bind(options, &attempt, report, error);
}
