// SPDX-License-Identifier: MIT
//
// Looking at bundles.
#include "cpuid/isa.h"
#include "format/bundle_view.h"
#include "image/bundle_files.h"
#include "image/inspect.h"
#include "mapper/mapper.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct pkgimg_bundle_inspection {
  char *path;
  struct buffer bytes;
  struct bundle_header head;
  struct bundle_view view;
  char features[1024];
  char *changed;
  struct pkgimg_bundle_summary summary;
};

int pkgimg_is_bundle(const char *path)
{
  uint8_t head[8];
  size_t size = 0;
  struct map_counts counts = {0};
  struct image_handle handle;
  if (!path || image_open(AT_FDCWD, path, path, &handle, &counts, NULL) != PKGIMG_OK)
    return 0;
  bool is = image_pread(&handle, head, sizeof head, 0, &size, &counts, NULL) == PKGIMG_OK && bundle_is(head, size);
  image_close(&handle, &counts);
  return is;
}

static void summarise(struct pkgimg_bundle_inspection *inspection)
{
  static const char *const aslr_names[BUNDLE_ASLR_COUNT] = {"bundle", "boot", "process"};
  const struct bundle_header *head = &inspection->head;
  struct pkgimg_bundle_summary *summary = &inspection->summary;
  struct cpu_features needs;
  memcpy(needs.words, head->features, sizeof needs.words);
  *summary = (struct pkgimg_bundle_summary){
      .main_image = head->main_image,
      .machine = machine_name(head->machine),
      .features = cpu_features_text(cpu_isa_of_machine((int)head->machine), &needs, " ", inspection->features,
                                    sizeof inspection->features),
      .format_version = head->version,
      .file_size = inspection->bytes.size,
      .base = head->base,
      .aslr = aslr_names[head->aslr],
      .regions = head->regions,
      .images = head->images.count,
      .gates = head->gates.count,
      .imports = head->imports.count,
      .residuals = head->residuals.count,
      .types = head->types.count,
      .type_statements = head->statements.count,
  };
  memcpy(summary->build_id, head->build_id, sizeof summary->build_id);
}

static enum pkgimg_status fill(struct pkgimg_bundle_inspection *inspection, const char *path,
                               struct pkgimg_error *error)
{
  inspection->path = strdup(path);
  if (!inspection->path)
    return fail_memory(error, strlen(path));
  TRY(inspect_read(inspection->path, &inspection->bytes, error));
  struct reader reader = {
      .file = inspection->path, .bytes = {inspection->bytes.data, inspection->bytes.size}, .error = error};
  TRY(bundle_file_read(&reader, &inspection->head, &inspection->view));
  summarise(inspection);
  return PKGIMG_OK;
}

enum pkgimg_status pkgimg_bundle_inspection_open(const char *path, struct pkgimg_bundle_inspection **result,
                                                 struct pkgimg_error *error)
{
  if (!path || !result)
    return fail(error, PKGIMG_INVALID_ARGUMENT, path, "pkgimg_bundle_inspection_open: a NULL path or result");
  struct pkgimg_bundle_inspection *inspection = calloc(1, sizeof *inspection);
  if (!inspection)
    return fail_memory(error, sizeof *inspection);
  enum pkgimg_status status = fill(inspection, path, error);
  if (status != PKGIMG_OK)
    pkgimg_bundle_inspection_close(inspection);
  else
    *result = inspection;
  return status;
}

void pkgimg_bundle_inspection_close(struct pkgimg_bundle_inspection *inspection)
{
  if (!inspection)
    return;
  buffer_deinit(&inspection->bytes);
  free(inspection->changed);
  free(inspection->path);
  free(inspection);
}

const struct pkgimg_bundle_summary *pkgimg_bundle_inspection_summary(
    const struct pkgimg_bundle_inspection *inspection)
{
  return &inspection->summary;
}

struct pkgimg_area pkgimg_bundle_inspection_block(const struct pkgimg_bundle_inspection *inspection, size_t index)
{
  static const struct {
    const char *name;
    int protection;
  } kinds[BLOCK_COUNT] = {{"code", PROT_READ | PROT_EXEC},
                          {"L", PROT_READ},
                          {"W", PROT_READ | PROT_WRITE},
                          {"H", PROT_READ | PROT_WRITE}};
  static_assert(PKGIMG_BLOCK_COUNT == BLOCK_COUNT, "the public number of blocks");
  const struct bundle_block_at *block = &inspection->head.blocks[index];
  return (struct pkgimg_area){.name = kinds[index % BLOCK_COUNT].name,
                              .address = inspection->head.base + bundle_start((unsigned)index),
                              .memory_size = block->size,
                              .file_offset = block->file_offset,
                              .file_size = block->size,
                              .protection = kinds[index % BLOCK_COUNT].protection};
}

struct pkgimg_bound_image pkgimg_bundle_inspection_image(const struct pkgimg_bundle_inspection *inspection,
                                                         size_t index)
{
  const struct bundle_image *entry = bundle_image(inspection->view, (uint32_t)index);
  struct pkgimg_bound_image image = {
      .name = bundle_string(inspection->view, entry->name),
      .path = bundle_string(inspection->view, entry->path),
      .address = inspection->head.base + entry->offset,
      .size = entry->slot_size,
      .heap_size = entry->heap_size,
      .has_work = (entry->work & BUNDLE_HAS_WORK) != 0,
      .has_init = (entry->work & BUNDLE_HAS_INIT) != 0,
      .dependencies = entry->dependencies.count,
      .gates = entry->gates.count,
      .residuals = entry->residuals.count,
      .clones = entry->bodies.count,
  };
  memcpy(image.build_id, entry->geometry.build_id, sizeof image.build_id);
  return image;
}

const char *pkgimg_bundle_inspection_changed(struct pkgimg_bundle_inspection *inspection, size_t index)
{
  struct map_counts counts = {0};
  struct disk_header header;
  const uint8_t *bound = bundle_image(inspection->view, (uint32_t)index)->geometry.build_id;
  free(inspection->changed);
  inspection->changed =
      bundle_file_identity(inspection->path, inspection->view, (uint32_t)index, &header, &counts);
  bool changed = inspection->changed && memcmp(header.geometry.build_id, bound, 16) != 0;
  return changed ? inspection->changed : NULL;
}

static size_t uses_of(const struct pkgimg_bundle_inspection *inspection, size_t gate)
{
  const uint32_t *uses = bundle_table(inspection->view, &inspection->head.gate_uses);
  size_t count = 0;
  for (uint64_t i = 0; i < inspection->head.gate_uses.count; i++)
    count += uses[i] == gate;
  return count;
}

struct pkgimg_import pkgimg_bundle_inspection_gate(const struct pkgimg_bundle_inspection *inspection, size_t index)
{
  const struct bundle_gate *gate =
      (const struct bundle_gate *)bundle_table(inspection->view, &inspection->head.gates) + index;
  return (struct pkgimg_import){.name = bundle_string(inspection->view, gate->name),
                                .version = gate->version ? bundle_string(inspection->view, gate->version) : NULL,
                                .kind = inspect_kind(gate->type),
                                .weak = gate->weak,
                                .uses = uses_of(inspection, index)};
}
