// SPDX-License-Identifier: MIT
//
// bind: the final values of words.
#include "image/binder.h"
#include "relocator/captured.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

// The thunks of an image's imports; others are 0.
static void thunks_of(const struct binder *binder, const struct bound *image, const struct bundle_range *gates,
                      struct host_symbol *values)
{
  const struct tables *tables = tables_of(image);
  const uint32_t *numbers = binder->gate_uses + gates->first;
  for (uint32_t i = 0; i < tables->import_count; i++)
    if (binder_is_gated(&tables->imports[i]))
      values[i].value = binder_thunk(binder, *numbers++);
}

static void bind_address(struct binder *binder, const struct bound *image, const struct disk_residual *residual,
                         const struct host_symbol *values)
{
  uint64_t value = (uint64_t)residual->addend;
  if (residual->set == tables_host_set(tables_of(image))) {
    value += values[residual->import].value;
  } else {
    const struct bound *target = binder_target(binder, image, residual->set);
    value += binder->base + target->offset;
    if (residual->clone && residual->clone <= tables_of(target)->clone_count)
      value += target->bodies[residual->clone - 1];
  }
  enum bundle_block block = residual->address < FORMAT_W_START ? BLOCK_L : BLOCK_W;
  memcpy(bound_at(binder, image, block) + (residual->address - bundle_starts[block]), &value, sizeof value);
  binder->report.sites++;
}

// The loader's own relocation, into the blocks instead of a process. Residuals are sorted out one by one.
static enum pkgimg_status relocate_image(struct binder *binder, const struct bound *image,
                                         const struct target *targets, const struct host_symbol *values)
{
  struct tables tables = *tables_of(image);
  struct relocation relocation = {.file = image->dep->path,
                                  .geometry = &image->dep->file.header.geometry,
                                  .tables = &tables,
                                  .constants = bound_at(binder, image, BLOCK_L),
                                  .data = bound_at(binder, image, BLOCK_W),
                                  .targets = targets,
                                  .imports = values};
  uint32_t residual_count = tables.residual_count;
  tables.residual_count = 0;
  TRY(relocate(&relocation, &binder->report.sites, binder->error));
  struct heap_relocation *work = heap_relocation_begin(&relocation);
  if (!work)
    return fail_memory(binder->error, tables.captured_set_count);
  enum pkgimg_status status =
      heap_relocate_until(work, bound_at(binder, image, BLOCK_H), tables.head->heap.size, binder->error);
  if (status != PKGIMG_OK) {
    heap_relocation_abandon(work);
    return status;
  }
  TRY(heap_relocation_end(work, binder->error));
  for (uint32_t i = 0; i < tables.captured_set_count; i++)
    if (tables.captured_sets[i].universe == CAPTURED_IN_HEAP)
      binder->report.sites += tables.captured_sets[i].count;
  for (uint32_t i = 0; i < residual_count; i++)
    if (binder_is_final(&tables, &tables.residuals[i]))
      bind_address(binder, image, &tables.residuals[i], values);
  return PKGIMG_OK;
}

static struct target target_of(const struct binder *binder, const struct bound *image)
{
  return (struct target){.base = binder->base + image->offset,
                         .heap = binder->base + FORMAT_H_START + image->heap,
                         .clones = image->bodies,
                         .clone_count = tables_of(image)->clone_count};
}

enum pkgimg_status binder_relocate(struct binder *binder, const struct bound *image,
                                   const struct bundle_image *entry)
{
  const struct tables *tables = tables_of(image);
  struct target *targets AUTO(free_pointer) = calloc(tables->dependency_count + 1u, sizeof *targets);
  struct host_symbol *values AUTO(free_pointer) = calloc(tables->import_count + 1u, sizeof *values);
  if (!targets || !values)
    return fail_memory(binder->error, tables->import_count * sizeof *values);
  targets[0] = target_of(binder, image);
  for (uint32_t i = 0; i < tables->dependency_count; i++)
    targets[i + 1] = target_of(binder, &binder->images[image->dependencies[i]]);
  thunks_of(binder, image, &entry->gates, values);
  return relocate_image(binder, image, targets, values);
}
