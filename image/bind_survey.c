// SPDX-License-Identifier: MIT
//
// bind: what images need of the host, and the words that they leave to each process.
#include "format/sites.h"
#include "image/binder.h"

#include <elf.h>
#include <string.h>

// A function that must exist is called through the gate; its thunk is its address. What may be missing is
// compared with 0, and data is read directly: those words get the true value.
bool binder_is_gated(const struct disk_import *import)
{
  return !import->weak && (import->type == STT_FUNC || import->type == STT_GNU_IFUNC);
}
static enum pkgimg_status add_residual(struct binder *binder, const struct bundle_residual *residual)
{
  TRY(array_reserve(&binder->residuals, &binder->residual_capacity, binder->residual_count,
                    sizeof *binder->residuals, binder->error));
  binder->residuals[binder->residual_count++] = *residual;
  return PKGIMG_OK;
}

static enum pkgimg_status number_gates(struct binder *binder, const struct bound *image)
{
  const struct tables *tables = tables_of(image);
  for (uint32_t i = 0; i < tables->import_count; i++) {
    uint32_t number;
    if (!binder_is_gated(&tables->imports[i]))
      continue;
    TRY(binder_number(binder, &binder->gates, tables, &tables->imports[i], &number));
    TRY(array_reserve(&binder->gate_uses, &binder->gate_use_capacity, binder->gate_use_count,
                      sizeof *binder->gate_uses, binder->error));
    binder->gate_uses[binder->gate_use_count++] = number;
  }
  return PKGIMG_OK;
}

// A word of an image that gets the value of an import added in each process. Until the image has its place, its
// address is as linked.
static enum pkgimg_status leave_to_process(struct binder *binder, const struct bound *image, uint32_t import,
                                           uint64_t linked, int64_t addend)
{
  struct bundle_residual residual = {
      .address = linked, .type = R_X86_64_64, .image = BUNDLE_NONE, .addend = addend};
  const struct tables *tables = tables_of(image);
  TRY(binder_number(binder, &binder->imports, tables, &tables->imports[import], &residual.import));
  return add_residual(binder, &residual);
}

static uint64_t word_in_file(const struct bound *image, uint64_t linked)
{
  uint64_t value = 0;
  struct span bytes = image_file_bytes(&image->dep->file, linked, sizeof value);
  if (bytes.size == sizeof value)
    memcpy(&value, bytes.data, sizeof value);
  return value;
}

static enum pkgimg_status leave_sites(struct binder *binder, const struct bound *image)
{
  const struct tables *tables = tables_of(image);
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH], at = 0;
  if (!sites_begin(&walk, tables_sites(tables, tables_host_set(tables)), tables->head->words))
    return PKGIMG_OK;
  for (size_t count; (count = sites_next(&walk, ids)) > 0;)
    for (size_t i = 0; i < count; i++, at++) {
      uint32_t import = tables->site_imports[at];
      uint64_t linked = site_address(&image->dep->file.header.geometry, ids[i]);
      if (!binder_is_gated(&tables->imports[import]))
        TRY(leave_to_process(binder, image, import, linked, (int64_t)word_in_file(image, linked)));
    }
  return PKGIMG_OK;
}

static uint64_t captured_address(const struct bound *image, const struct disk_captured_set *set, uint32_t id)
{
  if (set->universe == CAPTURED_IN_HEAP)
    return FORMAT_H_START + 8ull * id;
  return site_address(&image->dep->file.header.geometry, id);
}

static enum pkgimg_status leave_captured_set(struct binder *binder, const struct bound *image,
                                             const struct disk_captured_set *set)
{
  const struct tables *tables = tables_of(image);
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH], at = set->first;
  if (!sites_begin(&walk, captured_bytes(tables, set), captured_universe(tables, set)))
    return PKGIMG_OK;
  for (size_t count; (count = sites_next(&walk, ids)) > 0;)
    for (size_t i = 0; i < count; i++, at++) {
      uint32_t import = tables->captured_details[at];
      uint64_t linked = captured_address(image, set, ids[i]);
      if (!binder_is_gated(&tables->imports[import]))
        TRY(leave_to_process(binder, image, import, linked, (int64_t)word_in_file(image, linked)));
    }
  return PKGIMG_OK;
}

static enum pkgimg_status leave_captured(struct binder *binder, const struct bound *image)
{
  const struct tables *tables = tables_of(image);
  for (uint32_t i = 0; i < tables->captured_set_count; i++)
    if (tables->captured_sets[i].kind == CAPTURED_HOST)
      TRY(leave_captured_set(binder, image, &tables->captured_sets[i]));
  return PKGIMG_OK;
}

const struct bound *binder_target(const struct binder *binder, const struct bound *image, uint32_t set)
{
  return set == 0 ? image : &binder->images[image->dependencies[set - 1]];
}

// An address that is known when it is bound.
bool binder_is_final(const struct tables *tables, const struct disk_residual *residual)
{
  bool host = residual->set == tables_host_set(tables);
  return residual->type == R_X86_64_64 && (!host || binder_is_gated(&tables->imports[residual->import]));
}
static enum pkgimg_status leave_residual(struct binder *binder, const struct bound *image,
                                         const struct disk_residual *residual)
{
  const struct tables *tables = tables_of(image);
  bool host = residual->set == tables_host_set(tables);
  if (binder_is_final(tables, residual))
    return PKGIMG_OK;
  if (residual->type == R_X86_64_64)
    return leave_to_process(binder, image, residual->import, residual->address, residual->addend);
  struct bundle_residual left = {.address = residual->address,
                                 .type = residual->type,
                                 .import = BUNDLE_NONE,
                                 .image = BUNDLE_NONE,
                                 .addend = residual->addend};
  if (host)
    TRY(binder_number(binder, &binder->imports, tables, &tables->imports[residual->import], &left.import));
  else
    left.image = (uint32_t)(binder_target(binder, image, residual->set) - binder->images);
  if (residual->clone && residual->type == R_X86_64_IRELATIVE && !host)
    left.addend += binder_target(binder, image, residual->set)->bodies[residual->clone - 1];
  return add_residual(binder, &left);
}
// What an image needs of the host, and what it leaves to each process. Where it will lie is not known yet.
enum pkgimg_status binder_survey(struct binder *binder, const struct bound *image, struct bundle_image *entry)
{
  const struct tables *tables = tables_of(image);
  entry->residuals.first = (uint32_t)binder->residual_count;
  entry->gates.first = (uint32_t)binder->gate_use_count;
  TRY(number_gates(binder, image));
  for (uint32_t i = 0; i < tables->residual_count; i++)
    TRY(leave_residual(binder, image, &tables->residuals[i]));
  TRY(leave_sites(binder, image));
  TRY(leave_captured(binder, image));
  entry->residuals.count = (uint32_t)binder->residual_count - entry->residuals.first;
  entry->gates.count = (uint32_t)binder->gate_use_count - entry->gates.first;
  return PKGIMG_OK;
}
