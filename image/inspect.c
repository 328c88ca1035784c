// SPDX-License-Identifier: MIT
//
// Looking at image files: verify and inspection.
#include "cpuid/detect.h"
#include "format/relocation.h"
#include "format/pages.h"
#include "image/areas.h"
#include "image/baseline.h"
#include "image/inspect.h"
#include "image/inspect_captured.h"
#include "image/inspection.h"
#include "mapper/mapper.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

// ---- the file

enum pkgimg_status inspect_read(const char *path, struct buffer *bytes, struct pkgimg_error *error)
{
  struct map_counts counts = {0};
  struct image_handle handle;
  enum pkgimg_status status = image_open(AT_FDCWD, path, path, &handle, &counts, error);
  if (status == PKGIMG_OK)
    status = image_read_all(&handle, bytes, &counts, error);
  image_close(&handle, &counts);
  return status;
}

static enum pkgimg_status read_image(const char *path, struct buffer *bytes, struct image_file *file,
                                     struct pkgimg_error *error)
{
  TRY(inspect_read(path, bytes, error));
  struct reader reader = {.file = path, .bytes = {bytes->data, bytes->size}, .error = error};
  return image_file_read(&reader, file);
}

enum pkgimg_status pkgimg_verify(const char *path, struct pkgimg_error *error)
{
  struct buffer bytes AUTO(buffer_deinit) = {0};
  struct image_file file;
  struct bundle_header head;
  struct bundle_view view;
  struct pages pages;
  if (!path)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "pkgimg_verify: a NULL path");
  TRY(inspect_read(path, &bytes, error));
  struct reader reader = {.file = path, .bytes = {bytes.data, bytes.size}, .error = error};
  if (pages_are(bytes.data, bytes.size))
    return pages_read(&reader, &pages);
  return bundle_is(bytes.data, bytes.size) ? bundle_file_read(&reader, &head, &view)
                                           : image_file_read(&reader, &file);
}

// ---- what an inspection prepares

static const char *string(const struct pkgimg_inspection *inspection, uint32_t offset)
{
  return inspection->file.tables.strings + offset;
}

static enum pkgimg_status list_exports(struct pkgimg_inspection *inspection, struct pkgimg_error *error)
{
  const struct symbols *symbols = &inspection->file.symbols;
  inspection->exports = calloc(symbols->count + 1u, sizeof *inspection->exports);
  if (!inspection->exports)
    return fail_memory(error, symbols->count * sizeof *inspection->exports);
  for (uint32_t i = 1; i < symbols->count; i++)
    if (symbols->symbols[i].st_shndx != SHN_UNDEF)
      inspection->exports[inspection->export_count++] = i;
  return PKGIMG_OK;
}

static enum pkgimg_status count_uses(struct pkgimg_inspection *inspection, struct pkgimg_error *error)
{
  const struct tables *tables = &inspection->file.tables;
  inspection->uses = calloc(tables->import_count + 1u, sizeof *inspection->uses);
  if (!inspection->uses)
    return fail_memory(error, tables->import_count * sizeof *inspection->uses);
  for (uint32_t i = 0; i < tables->site_import_count; i++)
    inspection->uses[tables->site_imports[i]]++;
  for (uint32_t i = 0; i < tables->residual_count; i++)
    if (tables->residuals[i].set == tables_host_set(tables))
      inspection->uses[tables->residuals[i].import]++;
  return PKGIMG_OK;
}

static enum pkgimg_status explain_targets(struct pkgimg_inspection *inspection, struct pkgimg_error *error)
{
  const struct tables *tables = &inspection->file.tables;
  const struct cpu_isa *isa = cpu_isa_of_machine(inspection->file.header.machine);
  struct cpu_target_features targets[FORMAT_MAX_TARGETS];
  struct cpu_features host;
  if (tables->target_count == 0)
    return PKGIMG_OK;
  TRY(cpu_usable_features(NULL, &host, error));
  inspection->targets = calloc(tables->target_count, sizeof *inspection->targets);
  if (!inspection->targets)
    return fail_memory(error, tables->target_count * sizeof *inspection->targets);
  for (uint32_t i = 0; i < tables->target_count; i++) {
    struct target_texts *texts = &inspection->targets[i];
    memcpy(targets[i].features.words, tables->targets[i].features, sizeof targets[i].features.words);
    targets[i].vector_bits = cpu_features_width(isa, &targets[i].features);
    struct cpu_explanation explanation = cpu_explain(&host, &targets[i], 0);
    cpu_features_text(isa, &targets[i].features, " ", texts->features, sizeof texts->features);
    cpu_features_text(isa, &explanation.missing, " ", texts->missing, sizeof texts->missing);
  }
  cpu_rank(&host, targets, tables->target_count, 0, &inspection->ranking);
  return PKGIMG_OK;
}

static const char *init_name(const struct pkgimg_inspection *inspection)
{
  const struct symbols *symbols = &inspection->file.symbols;
  uint64_t address = inspection->file.tables.head->init_function;
  for (uint32_t i = 1; address && i < symbols->count; i++)
    if (symbols->symbols[i].st_value == address && symbols->symbols[i].st_shndx != SHN_UNDEF)
      return symbols_name(symbols, i);
  return NULL;
}

static void summarise(struct pkgimg_inspection *inspection)
{
  const struct image_file *file = &inspection->file;
  const struct disk_tables *head = file->tables.head;
  struct pkgimg_summary *summary = &inspection->summary;
  *summary = (struct pkgimg_summary){
      .name = string(inspection, head->name),
      .machine = machine_name(file->header.machine),
      .sysimage = is_sysimage(&file->tables),
      .cpu_target = head->cpu_target ? string(inspection, head->cpu_target) : NULL,
      .format_version = file->header.version,
      .file_size = inspection->bytes.size,
      .exports = inspection->export_count,
      .imports = file->tables.import_count,
      .dependencies = file->tables.dependency_count,
      .closure = file->closure.count,
      .residuals = file->tables.residual_count,
      .targets = file->tables.target_count,
      .clones = file->tables.clone_count,
      .site_sets = file->tables.set_count,
      .words = head->words,
      .accesses = head->accesses.count,
      .tables_offset = file->header.geometry.tables_offset,
      .tables_size = file->header.geometry.tables_size,
      .thread_local_size = head->thread_local_size,
      .constructors = head->init_array.count,
      .destructors = head->fini_array.count,
      .init_function = init_name(inspection),
      .types = file->tables.types.type_count,
      .methods = file->tables.types.method_count,
  };
  memcpy(summary->build_id, file->header.geometry.build_id, sizeof summary->build_id);
  const struct disk_heap *heap = &head->heap;
  areas_describe(&file->header.geometry, 0,
                 &(struct disk_area){FORMAT_H_START, heap->size, heap->file_offset, heap->stored_size},
                 summary->areas);
}

static enum pkgimg_status fill(struct pkgimg_inspection *inspection, const char *path, struct pkgimg_error *error)
{
  inspection->path = strdup(path);
  if (!inspection->path)
    return fail_memory(error, strlen(path));
  TRY(read_image(inspection->path, &inspection->bytes, &inspection->file, error));
  TRY(list_exports(inspection, error));
  TRY(count_uses(inspection, error));
  TRY(explain_targets(inspection, error));
  summarise(inspection);
  return inspect_captured(inspection, error);
}

enum pkgimg_status pkgimg_inspection_open(const char *path, struct pkgimg_inspection **result,
                                          struct pkgimg_error *error)
{
  if (!path || !result)
    return fail(error, PKGIMG_INVALID_ARGUMENT, path, "pkgimg_inspection_open: a NULL path or result");
  struct pkgimg_inspection *inspection = calloc(1, sizeof *inspection);
  if (!inspection)
    return fail_memory(error, sizeof *inspection);
  enum pkgimg_status status = fill(inspection, path, error);
  if (status != PKGIMG_OK)
    pkgimg_inspection_close(inspection);
  else
    *result = inspection;
  return status;
}

void pkgimg_inspection_close(struct pkgimg_inspection *inspection)
{
  if (!inspection)
    return;
  buffer_deinit(&inspection->bytes);
  free(inspection->targets);
  free(inspection->uses);
  free(inspection->exports);
  free(inspection->path);
  free(inspection);
}

// ---- one entry of each table

const struct pkgimg_summary *pkgimg_inspection_summary(const struct pkgimg_inspection *inspection)
{
  return &inspection->summary;
}

const char *inspect_kind(unsigned type)
{
  switch (type) {
  case STT_FUNC:
    return "function";
  case STT_OBJECT:
    return "object";
  case STT_TLS:
    return "thread-local";
  case STT_GNU_IFUNC:
    return "ifunc";
  default:
    return "other";
  }
}

static const char *binding_name(unsigned binding)
{
  return binding == STB_WEAK ? "weak" : binding == STB_GNU_UNIQUE ? "unique" : "global";
}

struct pkgimg_export pkgimg_inspection_export(const struct pkgimg_inspection *inspection, size_t index)
{
  const struct symbols *symbols = &inspection->file.symbols;
  const Elf64_Sym *symbol = &symbols->symbols[inspection->exports[index]];
  return (struct pkgimg_export){.name = symbols_name(symbols, inspection->exports[index]),
                                .address = symbol->st_value,
                                .size = symbol->st_size,
                                .kind = inspect_kind(ELF64_ST_TYPE(symbol->st_info)),
                                .binding = binding_name(ELF64_ST_BIND(symbol->st_info))};
}

struct pkgimg_import pkgimg_inspection_import(const struct pkgimg_inspection *inspection, size_t index)
{
  const struct disk_import *import = &inspection->file.tables.imports[index];
  return (struct pkgimg_import){.name = string(inspection, import->name),
                                .version = import->version ? string(inspection, import->version) : NULL,
                                .kind = inspect_kind(import->type),
                                .weak = import->weak,
                                .uses = inspection->uses[index]};
}

static bool is_direct(const struct tables *tables, const uint8_t build_id[16])
{
  for (uint32_t i = 0; i < tables->dependency_count; i++)
    if (memcmp(tables->dependencies[i].build_id, build_id, 16) == 0)
      return true;
  return false;
}

struct pkgimg_dependency pkgimg_inspection_dependency(const struct pkgimg_inspection *inspection, size_t index)
{
  const struct disk_closure_entry *entry = &inspection->file.closure.entries[index];
  struct pkgimg_dependency dependency = {.name = string(inspection, entry->name),
                                         .direct = is_direct(&inspection->file.tables, entry->geometry.build_id)};
  memcpy(dependency.build_id, entry->geometry.build_id, sizeof dependency.build_id);
  return dependency;
}

static const char *set_target(const struct pkgimg_inspection *inspection, uint32_t set)
{
  const struct tables *tables = &inspection->file.tables;
  return set == FORMAT_SET_SELF           ? inspection->summary.name
         : set == tables_host_set(tables) ? "host"
                                          : string(inspection, tables->dependencies[set - 1].name);
}

struct pkgimg_site_set pkgimg_inspection_site_set(const struct pkgimg_inspection *inspection, size_t index)
{
  const struct tables *tables = &inspection->file.tables;
  return inspect_set(tables_sites(tables, (uint32_t)index), tables->head->words, tables->site_sets[index].count,
                     set_target(inspection, (uint32_t)index));
}

static size_t count_bodies(const struct tables *tables, size_t target)
{
  size_t count = 0;
  for (size_t i = 0; i < tables->clone_count; i++)
    count += tables->clones[i].bodies >> target & 1;
  return count;
}

struct pkgimg_target pkgimg_inspection_target(const struct pkgimg_inspection *inspection, size_t index)
{
  return (struct pkgimg_target){.name = string(inspection, inspection->file.tables.targets[index].name),
                                .features = inspection->targets[index].features,
                                .missing = inspection->targets[index].missing,
                                .bodies = count_bodies(&inspection->file.tables, index)};
}

struct pkgimg_clone pkgimg_inspection_clone(const struct pkgimg_inspection *inspection, size_t index)
{
  const struct disk_clone *clone = &inspection->file.tables.clones[index];
  return (struct pkgimg_clone){.name = symbols_name(&inspection->file.symbols, clone->symbol),
                               .bodies = clone->bodies,
                               .chosen = cpu_choose(&inspection->ranking, clone->bodies)};
}

struct pkgimg_residual pkgimg_inspection_residual(const struct pkgimg_inspection *inspection, size_t index)
{
  const struct tables *tables = &inspection->file.tables;
  const struct disk_residual *residual = &tables->residuals[index];
  const char *type = relocation_name(residual->type), *symbol = "";
  if (residual->set == tables_host_set(tables))
    symbol = string(inspection, tables->imports[residual->import].name);
  return (struct pkgimg_residual){
      .address = residual->address, .type = type ? type : "unknown", .symbol = symbol, .addend = residual->addend};
}

size_t pkgimg_inspection_sites(const struct pkgimg_inspection *inspection, size_t set, uint64_t first,
                               uint64_t *addresses, size_t capacity)
{
  const struct tables *tables = &inspection->file.tables;
  size_t count = inspect_ids(tables_sites(tables, (uint32_t)set), tables->head->words, first, addresses, capacity);
  for (size_t i = 0; i < count; i++)
    addresses[i] = site_address(&inspection->file.header.geometry, (uint32_t)addresses[i]);
  return count;
}
