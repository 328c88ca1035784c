// SPDX-License-Identifier: MIT
//
// bind: code that reads an address from a word does without it, where that is known. Functions of the host are
// called through their slots, so that a call makes one indirect jump, as it does in an image; what lies in an
// image of the same region, directly.
#include "format/access.h"
#include "format/sites.h"
#include "image/binder.h"

#include <stdlib.h>
#include <string.h>

/// What the words of an image's L hold: 0, an address that is final; 1 + the gate whose thunk it is; or LEFT.
struct contents {
  uint32_t *words;
  uint64_t count;
};
enum { FINAL = 0 };
#define LEFT UINT32_MAX

static void contents_deinit(struct contents *contents)
{
  free(contents->words);
}

// 1 + the gate of each import, LEFT where a process fills the word.
static uint32_t *gates_of(const struct binder *binder, const struct bound *image, const struct bundle_image *entry)
{
  const struct tables *tables = tables_of(image);
  const uint32_t *numbers = binder->gate_uses + entry->gates.first;
  uint32_t *gates = calloc(tables->import_count + 1u, sizeof *gates);
  for (uint32_t i = 0; gates && i < tables->import_count; i++)
    gates[i] = binder_is_gated(&tables->imports[i]) ? 1 + *numbers++ : LEFT;
  return gates;
}

static enum pkgimg_status contents_init(struct contents *contents, const struct binder *binder,
                                        const struct bound *image, const struct bundle_image *entry)
{
  const struct tables *tables = tables_of(image);
  uint32_t *gates AUTO(free_pointer) = gates_of(binder, image, entry);
  contents->count = image->dep->file.header.geometry.areas[AREA_L].file_size / 8;
  contents->words = calloc(contents->count + 1, sizeof *contents->words);
  if (!gates || !contents->words)
    return fail_memory(binder->error, contents->count * sizeof *contents->words);
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH], at = 0;
  if (!sites_begin(&walk, tables_sites(tables, tables_host_set(tables)), tables->head->words))
    return PKGIMG_OK;
  for (size_t count; (count = sites_next(&walk, ids)) > 0;)
    for (size_t i = 0; i < count; i++, at++)
      if (ids[i] < contents->count)
        contents->words[ids[i]] = gates[tables->site_imports[at]];
  return PKGIMG_OK;
}

// `address` is where the field will be, `value` what the word holds.
static bool relax(const struct binder *binder, enum access_form form, uint8_t *field, uint64_t address,
                  uint64_t value, uint32_t content)
{
  if (content == LEFT)
    return false;
  if (content == FINAL || form == ACCESS_LOAD)
    return access_direct(form, field, address, value);
  if (value != binder_thunk(binder, content - 1))
    return false;
  return access_through(field, address, binder_slot(binder, content - 1));
}

static bool relax_at(const struct binder *binder, const struct bound *image, const struct contents *contents,
                     uint32_t offset)
{
  const struct disk_area *area = &image->dep->file.header.geometry.areas[AREA_X];
  uint8_t *start = bound_at(binder, image, BLOCK_CODE) + area->address;
  enum access_form form = access_form((struct span){start, area->file_size}, offset);
  uint64_t linked = area->address + offset, value;
  uint64_t word = (access_word(start + offset, linked) - FORMAT_L_START) / 8;
  memcpy(&value, bound_at(binder, image, BLOCK_L) + 8 * word, sizeof value);
  return relax(binder, form, start + offset, binder->base + image->offset + linked, value, contents->words[word]);
}

// Forms and words were checked when the image was read.
enum pkgimg_status binder_relax(struct binder *binder, const struct bound *image, const struct bundle_image *entry)
{
  const struct tables *tables = tables_of(image);
  const struct disk_site_set *set = &tables->head->accesses;
  struct contents contents AUTO(contents_deinit) = {0};
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  if (!sites_begin(&walk, set_bytes(tables, set),
                   (uint32_t)image->dep->file.header.geometry.areas[AREA_X].file_size))
    return PKGIMG_OK;
  TRY(contents_init(&contents, binder, image, entry));
  for (size_t count; (count = sites_next(&walk, ids)) > 0;)
    for (size_t i = 0; i < count; i++)
      binder->report.relaxed += relax_at(binder, image, &contents, ids[i]);
  binder->report.accesses += set->count;
  return PKGIMG_OK;
}
