// SPDX-License-Identifier: MIT
//
// Words of an image in a bundle that only the process knows.
#include "format/relocation.h"
#include "image/bundle_parts.h"
#include "image/types.h"
#include "mapper/blocks.h"
#include "relocator/tls.h"

#include <string.h>

static enum pkgimg_status bad_residual(const struct bundle *bundle, const struct bundle_residual *residual,
                                       struct pkgimg_error *error)
{
  const char *name = relocation_name(residual->type);
  return fail_name(error, PKGIMG_MALFORMED, bundle->path, name ? name : "unknown relocation",
                   "type %u at offset 0x%llx", residual->type,
                   (unsigned long long)offset_in_file(bundle, residual));
}

static enum pkgimg_status value_of(struct session *session, const struct bundle *bundle,
                                   const struct bundle_residual *residual, struct host_symbol *symbol)
{
  const struct bundle_gate *imports = table_at(bundle, &bundle->head.imports);
  *symbol = (struct host_symbol){0};
  if (residual->import == BUNDLE_NONE) {
    if (residual->image >= bundle->head.images.count)
      return bad_residual(bundle, residual, session->error);
    const struct bundle_image *entry = entry_at(bundle, residual->image);
    const struct pkgimg_image *image = index_find(session->runtime, entry->geometry.build_id);
    *symbol = (struct host_symbol){bundle->head.base + entry->offset, image ? image->tls_module : 0};
    return PKGIMG_OK;
  }
  if (residual->import >= bundle->head.imports.count)
    return bad_residual(bundle, residual, session->error);
  const struct bundle_gate *import = &imports[residual->import];
  if (bundle_find_host(bundle, import, symbol, &session->runtime->stats.symbols_resolved) || import->weak)
    return PKGIMG_OK;
  return fail_name(session->error, PKGIMG_UNDEFINED_SYMBOL, session->path, string_at(bundle, import->name),
                   "no library of the host defines it");
}

static enum pkgimg_status write_residual(struct session *session, const struct bundle *bundle,
                                         const struct bundle_image *entry, const struct bundle_residual *residual)
{
  struct reader reader = reader_of(bundle, session->error);
  struct host_symbol symbol;
  bool host = residual->import != BUNDLE_NONE;
  uint64_t addend = (uint64_t)residual->addend, values[2] = {0};
  enum relocation_kind kind = relocation_kind(residual->type);
  size_t size = kind == RELOCATION_DESCRIPTOR ? 16 : 8;
  TRY(bundle_residual_check(&reader, view_of(bundle), entry, residual, size));
  TRY(value_of(session, bundle, residual, &symbol));
  switch (kind) {
  case RELOCATION_ADDRESS:
    values[0] = symbol.value + addend;
    break;
  case RELOCATION_MODULE:
    if (!host && !symbol.module)
      return bad_residual(bundle, residual, session->error);
    values[0] = symbol.module;
    break;
  case RELOCATION_OFFSET:
    values[0] = (host ? symbol.value : 0) + addend;
    break;
  case RELOCATION_DESCRIPTOR:
    if (host || !symbol.module)
      return bad_residual(bundle, residual, session->error);
    tls_descriptor(symbol.module, addend, values);
    break;
  case RELOCATION_IFUNC:
    if (host)
      return bad_residual(bundle, residual, session->error);
    if (runs_code(session->runtime))
      values[0] = ((uint64_t(*)(void))(uintptr_t)(symbol.value + addend))();
    break;
  default:
    return bad_residual(bundle, residual, session->error);
  }
  memcpy((void *)(bundle->head.base + residual->address), values, size);
  return PKGIMG_OK;
}

// Resolvers of IFUNCs run when everything else stands.
static enum pkgimg_status write_residuals(struct session *session, const struct bundle *bundle,
                                          const struct bundle_image *entry)
{
  const struct bundle_residual *residuals = table_at(bundle, &bundle->head.residuals);
  for (int resolvers = 0; resolvers < 2; resolvers++)
    for (uint32_t i = 0; i < entry->residuals.count; i++) {
      const struct bundle_residual *residual = &residuals[entry->residuals.first + i];
      if ((relocation_kind(residual->type) == RELOCATION_IFUNC) == resolvers)
        TRY(write_residual(session, bundle, entry, residual));
    }
  return PKGIMG_OK;
}

static uint64_t pages_of(const struct disk_region *words)
{
  uint64_t first = words->address / FORMAT_PAGE, last = (words->address + 8 * words->count - 1) / FORMAT_PAGE;
  return words->count ? last - first + 1 : 0;
}

// The words for types' objects are final if the bundle's objects are used. Otherwise whoever makes the objects
// fills them.
static enum pkgimg_status take_types(struct session *session, struct bundle *bundle,
                                     const struct bundle_image *entry)
{
  struct types types;
  struct type_home *home = NULL;
  struct pkgimg_image *image = index_find(session->runtime, entry->geometry.build_id);
  struct reader reader = reader_of(bundle, session->error);
  TRY(bundle_image_types(&reader, view_of(bundle), entry, &types));
  if (bundle->types)
    TRY(bundle_types_home(bundle, image->number, &types, &home, session->error));
  else
    session->runtime->stats.pages_written += pages_of(&types.head->type_words);
  return types_add(image, &types, home, session->error);
}

static bool has_types_left(const struct bundle *bundle, const struct bundle_image *entry)
{
  return entry->types.count && (!bundle->types || entry->work & BUNDLE_HAS_METHODS);
}

static enum pkgimg_status write_words(struct session *session, struct bundle *bundle,
                                      const struct bundle_image *entry)
{
  TRY(write_residuals(session, bundle, entry));
  return has_types_left(bundle, entry) ? take_types(session, bundle, entry) : PKGIMG_OK;
}

enum pkgimg_status bundle_finish_words(struct session *session, struct bundle *bundle,
                                       const struct bundle_image *entry)
{
  const struct disk_area *constants = &entry->geometry.areas[AREA_L];
  uint64_t address = bundle->head.base + entry->offset + FORMAT_L_START;
  struct map_counts *counts = &session->runtime->counts;
  bool writes = entry->residuals.count || (entry->types.count && !bundle->types);
  if (!writes || !constants->memory_size)
    return write_words(session, bundle, entry);
  TRY(blocks_unseal(address, constants->memory_size, true, counts, session->error));
  enum pkgimg_status status = write_words(session, bundle, entry);
  enum pkgimg_status sealed =
      blocks_unseal(address, constants->memory_size, false, counts, status == PKGIMG_OK ? session->error : NULL);
  return status != PKGIMG_OK ? status : sealed;
}
