// SPDX-License-Identifier: MIT
#include "relocator/relocate.h"

#include "format/relocation.h"
#include "format/sites.h"
#include "relocator/captured.h"
#include "relocator/tls.h"

#include <string.h>

// ---- imports

static bool find_import(const struct tables *tables, uint32_t index, bool run_code, struct host_symbol *symbol,
                        uint64_t *lookups)
{
  const struct disk_import *import = &tables->imports[index];
  struct host_query query = {.name = tables->strings + import->name,
                             .version = tables->strings + import->version,
                             .hash = import->hash,
                             .type = import->type,
                             .run_code = run_code};
  return host_find(&query, symbol, lookups);
}

// Have ld.so load the libraries that the image names and the process lacks; `all`: also those that it
// has, perhaps only for whoever opened them.
static enum pkgimg_status load_libraries(const struct tables *tables, bool all, struct pkgimg_error *error)
{
  bool any = false;
  for (uint32_t i = 0; i < tables->library_count; i++) {
    const char *name = tables->strings + tables->libraries[i];
    if (all || !host_has_library(name))
      any |= host_load_library(name);
  }
  return any ? host_refresh(error) : PKGIMG_OK;
}

static enum pkgimg_status undefined(const char *file, const struct tables *tables, uint32_t index,
                                    struct pkgimg_error *error)
{
  const struct disk_import *import = &tables->imports[index];
  const char *version = tables->strings + import->version;
  return fail_name(error, PKGIMG_UNDEFINED_SYMBOL, file, tables->strings + import->name,
                   "no library of the host defines it%s%s", *version ? " with version " : "", version);
}

enum pkgimg_status imports_resolve(const char *file, const struct tables *tables, bool run_code,
                                   struct host_symbol *imports, uint64_t *lookups, struct pkgimg_error *error)
{
  bool may_promote = run_code;
  if (run_code)
    TRY(load_libraries(tables, false, error));
  for (uint32_t i = 0; i < tables->import_count; i++) {
    if (find_import(tables, i, run_code, &imports[i], lookups))
      continue;
    if (may_promote)
      TRY(load_libraries(tables, true, error));
    bool found = may_promote && find_import(tables, i, run_code, &imports[i], lookups);
    may_promote = false;
    if (!found && !tables->imports[i].weak)
      return undefined(file, tables, i, error);
    if (!found)
      imports[i] = (struct host_symbol){0};
  }
  return PKGIMG_OK;
}

// ---- sites

/// Word ids -> memory: L first, then W.
struct words {
  uint8_t *constants;
  uint8_t *data;  // minus 8 bytes for each word of L
  uint32_t constant_count;
};

static struct words words_of(const struct relocation *relocation)
{
  uint64_t constants = relocation->geometry->areas[AREA_L].file_size;
  return (struct words){.constants = relocation->constants,
                        .data = relocation->data - constants,
                        .constant_count = (uint32_t)(constants / 8)};
}

static inline uint64_t *word_at(const struct words *words, uint32_t id)
{
  uint8_t *start = id < words->constant_count ? words->constants : words->data;
  return (uint64_t *)(void *)(start + 8ull * id);
}

static enum pkgimg_status bad_sites(const struct relocation *relocation, const struct disk_site_set *at,
                                    uint64_t seen, struct pkgimg_error *error)
{
  return fail_at(error, PKGIMG_MALFORMED, relocation->file, relocation->geometry->tables_offset + at->offset,
                 "bitmap of sites (number of good ones)", at->count, seen);
}

static enum pkgimg_status relocate_images(const struct relocation *relocation, const struct words *words,
                                          uint32_t set, struct pkgimg_error *error)
{
  const struct disk_site_set *at = &relocation->tables->site_sets[set];
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  uint64_t base = relocation->targets[set].base, seen = 0, expected = at->count;
  if (!sites_begin(&walk, tables_sites(relocation->tables, set), relocation->tables->head->words))
    return bad_sites(relocation, at, 0, error);
  // A few bytes can stand for many runs: the number of sites bounds the walk.
  for (size_t count; seen <= expected && (count = sites_next(&walk, ids)) > 0; seen += count)
    for (size_t i = 0; i < count; i++)
      *word_at(words, ids[i]) += base;
  return walk.broken || seen != expected ? bad_sites(relocation, at, seen, error) : PKGIMG_OK;
}

static enum pkgimg_status relocate_host(const struct relocation *relocation, const struct words *words,
                                        struct pkgimg_error *error)
{
  const struct tables *tables = relocation->tables;
  const struct disk_site_set *at = &tables->site_sets[tables_host_set(tables)];
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  const uint32_t *imports = tables->site_imports, *end = imports + tables->site_import_count;
  if (!sites_begin(&walk, set_bytes(tables, at), tables->head->words))
    return bad_sites(relocation, at, 0, error);
  for (size_t count; (count = sites_next(&walk, ids)) > 0; imports += count) {
    if (count > (size_t)(end - imports))
      return bad_sites(relocation, at, tables->site_import_count + 1ull, error);
    for (size_t i = 0; i < count; i++)
      *word_at(words, ids[i]) += relocation->imports[imports[i]].value;
  }
  uint64_t seen = tables->site_import_count - (uint64_t)(end - imports);
  return walk.broken || imports != end ? bad_sites(relocation, at, seen, error) : PKGIMG_OK;
}

// ---- clones: words that point to the chosen body of a function

static enum pkgimg_status bad_clone(const struct relocation *relocation, uint32_t set, uint32_t clone,
                                    struct pkgimg_error *error)
{
  const struct disk_site_set *at = &relocation->tables->clone_sets[set];
  return fail_at(error, PKGIMG_MALFORMED, relocation->file, relocation->geometry->tables_offset + at->offset,
                 "number of clones that a site needs", clone + 1ull, relocation->targets[set].clone_count);
}

static enum pkgimg_status relocate_clones(const struct relocation *relocation, const struct words *words, uint32_t set,
                                          const uint32_t **clones, struct pkgimg_error *error)
{
  const struct tables *tables = relocation->tables;
  const struct disk_site_set *at = &tables->clone_sets[set];
  const struct target *target = &relocation->targets[set];
  const uint32_t *end = *clones + at->count;
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  if (!sites_begin(&walk, set_bytes(tables, at), tables->head->words))
    return bad_sites(relocation, at, 0, error);
  for (size_t count; (count = sites_next(&walk, ids)) > 0; *clones += count) {
    if (count > (size_t)(end - *clones))
      return bad_sites(relocation, at, at->count + 1ull, error);
    for (size_t i = 0; i < count; i++) {
      uint32_t clone = (*clones)[i];
      if (clone >= target->clone_count)
        return bad_clone(relocation, set, clone, error);
      *word_at(words, ids[i]) += target->base + target->clones[clone];
    }
  }
  uint64_t seen = at->count - (uint64_t)(end - *clones);
  return walk.broken || *clones != end ? bad_sites(relocation, at, seen, error) : PKGIMG_OK;
}

// ---- residuals

// The one checked store: `size` bytes at an address as linked, which must lie in L or W.
static uint8_t *checked_place(const struct relocation *relocation, uint64_t address, uint64_t size)
{
  for (int i = AREA_L; i <= AREA_W; i++) {
    const struct disk_area *area = &relocation->geometry->areas[i];
    if (address >= area->address && range_within(address - area->address, size, area->file_size))
      return (i == AREA_L ? relocation->constants : relocation->data) + (address - area->address);
  }
  return NULL;
}

static enum pkgimg_status refuse(const struct relocation *relocation, const struct disk_residual *residual,
                                 struct pkgimg_error *error)
{
  const char *name = relocation_name(residual->type);
  return fail_name(error, PKGIMG_UNSUPPORTED, relocation->file, name ? name : "unknown relocation",
                   "type %u at address 0x%llx", residual->type, (unsigned long long)residual->address);
}

static bool is_host(const struct relocation *relocation, const struct disk_residual *residual)
{
  return residual->set == tables_host_set(relocation->tables);
}

static enum pkgimg_status relocate_residual(const struct relocation *relocation,
                                            const struct disk_residual *residual, struct pkgimg_error *error)
{
  bool host = is_host(relocation, residual);
  uint64_t addend = (uint64_t)residual->addend;
  uint64_t base = host ? relocation->imports[residual->import].value : relocation->targets[residual->set].base;
  uint64_t module =
      host ? relocation->imports[residual->import].module : relocation->targets[residual->set].module;
  uint64_t values[2] = {0};
  if (residual->clone && !host) {
    const struct target *target = &relocation->targets[residual->set];
    if (residual->clone > target->clone_count)
      return refuse(relocation, residual, error);
    base += target->clones[residual->clone - 1];
  }
  enum relocation_kind kind = relocation_kind(residual->type);
  size_t size = kind == RELOCATION_DESCRIPTOR ? 16 : 8;
  uint8_t *place = checked_place(relocation, residual->address, size);
  if (!place)
    return refuse(relocation, residual, error);
  switch (kind) {
  case RELOCATION_IFUNC:
    return residual->address % 8 || host ? refuse(relocation, residual, error) : PKGIMG_OK;
  case RELOCATION_ADDRESS:
    values[0] = base + addend;
    break;
  case RELOCATION_MODULE:
    values[0] = module;
    break;
  case RELOCATION_OFFSET:
    values[0] = (host ? base : 0) + addend;
    break;
  case RELOCATION_DESCRIPTOR:
    // The slow path of a descriptor knows our modules only.
    if (host || !module)
      return refuse(relocation, residual, error);
    tls_descriptor(module, addend, values);
    break;
  default:
    return refuse(relocation, residual, error);
  }
  memcpy(place, values, size);
  return PKGIMG_OK;
}

enum pkgimg_status relocate(const struct relocation *relocation, uint64_t *sites, struct pkgimg_error *error)
{
  const struct tables *tables = relocation->tables;
  struct words words = words_of(relocation);
  for (uint32_t set = 0; set < tables_host_set(tables); set++) {
    TRY(relocate_images(relocation, &words, set, error));
    *sites += tables->site_sets[set].count;
  }
  TRY(relocate_host(relocation, &words, error));
  const uint32_t *clones = tables->site_clones;
  for (uint32_t set = 0; set < tables->clone_set_count; set++)
    TRY(relocate_clones(relocation, &words, set, &clones, error));
  *sites += tables->site_import_count + tables->site_clone_count + tables->residual_count;
  if (tables->captured_set_count)
    TRY(relocate_captured(relocation, sites, error));
  for (uint32_t i = 0; i < tables->residual_count; i++)
    TRY(relocate_residual(relocation, &tables->residuals[i], error));
  return PKGIMG_OK;
}

size_t relocate_deferred(const struct relocation *relocation, struct deferred *deferred)
{
  const struct tables *tables = relocation->tables;
  size_t count = 0;
  for (uint32_t i = 0; i < tables->residual_count; i++) {
    const struct disk_residual *residual = &tables->residuals[i];
    if (relocation_kind(residual->type) != RELOCATION_IFUNC)
      continue;
    deferred[count++] = (struct deferred){
        .word = (uint64_t *)(void *)checked_place(relocation, residual->address, 8),
        .resolver = relocation->targets[residual->set].base + (uint64_t)residual->addend,
    };
  }
  return count;
}
