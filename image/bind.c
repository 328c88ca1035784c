// SPDX-License-Identifier: MIT
//
// bind: images -> bundle. Lays the images out, applies every site with the addresses that they will have, and leaves to
// a process what only a process knows. No code of an image runs.
#include "cpuid/detect.h"
#include "cpuid/target.h"
#include "format/packed.h"
#include "format/sites.h"
#include "image/baseline.h"
#include "image/binder.h"
#include "image/bodies.h"
#include "linker/linker.h"
#include "mapper/mapper.h"
#include "relocator/captured.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void binder_deinit(struct binder *binder)
{
  for (size_t i = 0; binder->images && i < binder->deps.count; i++) {
    free(binder->images[i].bodies);
    free(binder->images[i].dependencies);
  }
  for (unsigned i = 0; i < BUNDLE_BLOCKS; i++)
    buffer_deinit(&binder->blocks[i]);
  buffer_deinit(&binder->tables);
  buffer_deinit(&binder->strings);
  struct names *names[] = {&binder->gates, &binder->imports};
  for (int i = 0; i < 2; i++) {
    free(names[i]->items);
    free(names[i]->index);
  }
  free(binder->images);
  free(binder->order);
  free(binder->entries);
  free(binder->residuals);
  free(binder->gate_uses);
  deps_deinit(&binder->deps);
}

static uint64_t round_up(uint64_t value, uint64_t step)
{
  return (value + step - 1) / step * step;
}

// ---- reading

static enum pkgimg_status read_images(struct binder *binder)
{
  const struct pkgimg_bind_options *options = binder->options;
  struct pkgimg_build_options request = {.name = options->output,
                                         .output = options->output,
                                         .deps = {options->images, options->image_count},
                                         .dep_path = {options->search_path, options->search_path_count}};
  TRY(deps_read(&request, &binder->deps, binder->error));
  binder->images = calloc(binder->deps.count, sizeof *binder->images);
  binder->entries = calloc(binder->deps.count, sizeof *binder->entries);
  if (!binder->images || !binder->entries)
    return fail_memory(binder->error, binder->deps.count * sizeof *binder->entries);
  for (size_t i = 0; i < binder->deps.count; i++) {
    binder->images[i].dep = binder->deps.items[i];
    binder->images[i].slot_size = slot_size(&binder->deps.items[i]->file.header.geometry);
  }
  return PKGIMG_OK;
}

static enum pkgimg_status look_at_host(struct binder *binder)
{
  const char *text = binder->options->host;
  struct cpu_target_list *list;
  struct cpu_host host;
  binder->vector_bits = binder->options->max_vector_bits;
  if (!text || strcmp(text, "native") == 0)
    return cpu_usable_features(binder->options->cpu_mask, &binder->features, binder->error);
  TRY(cpu_host_open(binder->options->cpu_mask, &host, binder->error));
  list = calloc(1, sizeof *list);
  if (!list)
    return fail_memory(binder->error, sizeof *list);
  struct cpu_target_request request = {
      .isa = cpu_isa_of_machine(FORMAT_HOST_MACHINE), .host = &host, .what = "--host", .text = text};
  enum pkgimg_status status = cpu_targets_parse(&request, list, binder->error);
  if (status == PKGIMG_OK)
    binder->features = list->targets[0].features;
  free(list);
  return status;
}

// ---- layout

static const struct disk_area *area_of(const struct bound *image, enum area area)
{
  return &image->dep->file.header.geometry.areas[area];
}

// Of an area, for images. In front of those of the first region there are tables, and functions of the host.
static uint64_t region_room(const struct binder *binder)
{
  const uint64_t slots = 4 * BUNDLE_ALIGN, reach = binder->options->reach;
  return reach && reach < FORMAT_AREA_LIMIT - slots ? reach : FORMAT_AREA_LIMIT - slots;
}

/// Where the next image goes.
struct place {
  uint64_t first, offset, heap;  ///< in the region
  unsigned region;
};

// Room for a region's images as it is taken; nothing of another region is in between.
static enum pkgimg_status end_region(struct binder *binder, const struct place *place)
{
  const uint64_t sizes[BLOCK_COUNT] = {place->offset, place->offset, place->offset, place->heap};
  struct buffer *blocks = &binder->blocks[place->region * BLOCK_COUNT];
  for (int i = 0; i < BLOCK_COUNT; i++)
    TRY(buffer_append(&blocks[i], NULL, sizes[i], binder->error));
  binder->regions = place->region + 1;
  return PKGIMG_OK;
}

static enum pkgimg_status next_region(struct binder *binder, struct place *place)
{
  TRY(end_region(binder, place));
  *place = (struct place){.first = FORMAT_PAGE, .offset = FORMAT_PAGE, .region = place->region + 1};
  if (place->region < BUNDLE_REGIONS)
    return PKGIMG_OK;
  return fail(binder->error, PKGIMG_UNSUPPORTED, binder->options->output,
              "its images take more than %u regions of %llu MiB of address space for one area", BUNDLE_REGIONS,
              (unsigned long long)region_room(binder) >> 20);
}

// The words of the gates end where a page does: as long as they fit into one page, a load writes one.
static uint64_t lay_out_gates(struct binder *binder)
{
  uint64_t size = round_up(binder->gates.count * BUNDLE_THUNK_SIZE, 64);
  uint64_t end = round_up(round_up(binder->tables.size, 64) + size, FORMAT_PAGE);
  binder->gates_at = end - size;
  return end;
}

// What is used together lies together.
static enum pkgimg_status lay_out(struct binder *binder)
{
  struct place place = {.first = lay_out_gates(binder)};
  place.offset = place.first;
  for (size_t i = 0; i < binder->deps.count; i++) {
    struct bound *image = &binder->images[binder->order[i]];
    if (place.offset > place.first && place.offset + image->slot_size > region_room(binder))
      TRY(next_region(binder, &place));
    image->offset = place.region * BUNDLE_STRIDE + place.offset;
    image->heap = place.region * BUNDLE_STRIDE + place.heap;
    place.offset += image->slot_size;
    place.heap = round_up(place.heap + tables_of(image)->head->heap.size, FORMAT_HEAP_ALIGN);
  }
  return end_region(binder, &place);
}

// Between what sanitizers, the program and libraries use (docs/bundle.md).
static enum pkgimg_status draw_base(struct binder *binder)
{
  const uint64_t first = 0x200000000000, last = 0x500000000000;
  uint64_t random;
  if (binder->base % BUNDLE_ALIGN)
    return fail(binder->error, PKGIMG_INVALID_ARGUMENT, binder->options->output,
                "base address 0x%llx: expected a multiple of 0x%x", (unsigned long long)binder->base, BUNDLE_ALIGN);
  if (binder->base)
    return PKGIMG_OK;
  if (getrandom(&random, sizeof random, 0) != sizeof random)
    return fail_system(binder->error, NULL, "getrandom");
  binder->base = first + random % ((last - first) / BUNDLE_ALIGN) * BUNDLE_ALIGN;
  return PKGIMG_OK;
}

static void copy_area(const struct binder *binder, const struct bound *image, enum area area,
                      enum bundle_block block)
{
  const struct disk_area *from = area_of(image, area);
  memcpy(bound_at(binder, image, block) + (from->address - bundle_starts[block]),
         image->dep->bytes.data + from->file_offset, from->file_size);
}

static enum pkgimg_status copy_heap(struct binder *binder, const struct bound *image)
{
  const struct reader *stored = &image->dep->file.heap;
  const struct disk_heap *heap = &tables_of(image)->head->heap;
  if (heap->size == 0)
    return PKGIMG_OK;
  if (heap->compression != HEAP_PLAIN)
    return unpack_whole(stored, bound_at(binder, image, BLOCK_H), heap->size, binder->error);
  memcpy(bound_at(binder, image, BLOCK_H), stored->bytes.data, heap->size);
  return PKGIMG_OK;
}

static enum pkgimg_status copy_images(struct binder *binder)
{
  for (size_t i = 0; i < binder->deps.count; i++) {
    const struct bound *image = &binder->images[i];
    copy_area(binder, image, AREA_R, BLOCK_CODE);
    copy_area(binder, image, AREA_X, BLOCK_CODE);
    copy_area(binder, image, AREA_L, BLOCK_L);
    copy_area(binder, image, AREA_W, BLOCK_W);
    TRY(copy_heap(binder, image));
  }
  return PKGIMG_OK;
}

// ---- strings and names

enum pkgimg_status binder_string(struct binder *binder, const char *text, uint32_t *offset)
{
  *offset = 0;
  if (!text || !*text)
    return PKGIMG_OK;
  *offset = (uint32_t)binder->strings.size;
  return buffer_append(&binder->strings, text, strlen(text) + 1, binder->error);
}

static const char *string_at(const struct binder *binder, uint32_t offset)
{
  return (const char *)binder->strings.data + offset;
}

static uint32_t *name_slot(const struct binder *binder, const struct names *names, const char *name,
                           const char *version, uint32_t hash)
{
  for (size_t at = hash;; at++) {
    uint32_t *slot = &names->index[at & (names->index_capacity - 1)];
    if (*slot == 0)
      return slot;
    const struct bundle_gate *item = &names->items[*slot - 1];
    if (item->hash == hash && strcmp(string_at(binder, item->name), name) == 0 &&
        strcmp(string_at(binder, item->version), version) == 0)
      return slot;
  }
}

static enum pkgimg_status grow_index(const struct binder *binder, struct names *names)
{
  if (2 * names->count < names->index_capacity)
    return PKGIMG_OK;
  free(names->index);
  names->index_capacity = names->index_capacity ? 2 * names->index_capacity : 256;
  names->index = calloc(names->index_capacity, sizeof *names->index);
  if (!names->index)
    return fail_memory(binder->error, names->index_capacity * sizeof *names->index);
  for (size_t i = 0; i < names->count; i++)
    *name_slot(binder, names, string_at(binder, names->items[i].name), string_at(binder, names->items[i].version),
               names->items[i].hash) = (uint32_t)i + 1;
  return PKGIMG_OK;
}

static enum pkgimg_status number_of(struct binder *binder, struct names *names, const struct tables *tables,
                                    const struct disk_import *import, uint32_t *number)
{
  const char *name = tables->strings + import->name, *version = tables->strings + import->version;
  TRY(grow_index(binder, names));
  uint32_t *slot = name_slot(binder, names, name, version, import->hash);
  if (*slot) {
    *number = *slot - 1;
    names->items[*number].weak &= import->weak;
    return PKGIMG_OK;
  }
  TRY(array_reserve(&names->items, &names->capacity, names->count, sizeof *names->items, binder->error));
  struct bundle_gate *item = &names->items[names->count];
  *item = (struct bundle_gate){.hash = import->hash, .type = import->type, .weak = import->weak};
  TRY(binder_string(binder, name, &item->name));
  TRY(binder_string(binder, version, &item->version));
  *slot = (uint32_t)++names->count;
  *number = *slot - 1;
  return PKGIMG_OK;
}

// ---- relocation

// A function that must exist is called through the gate; its thunk is its address. What may be missing is
// compared with 0, and data is read directly: those words get the true value.
static bool is_gated(const struct disk_import *import)
{
  return !import->weak && (import->type == STT_FUNC || import->type == STT_GNU_IFUNC);
}

static uint64_t thunk_address(const struct binder *binder, uint32_t gate)
{
  return binder->base + binder->gates_at + (uint64_t)gate * BUNDLE_THUNK_SIZE;
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
    if (!is_gated(&tables->imports[i]))
      continue;
    TRY(number_of(binder, &binder->gates, tables, &tables->imports[i], &number));
    TRY(array_reserve(&binder->gate_uses, &binder->gate_use_capacity, binder->gate_use_count,
                      sizeof *binder->gate_uses, binder->error));
    binder->gate_uses[binder->gate_use_count++] = number;
  }
  return PKGIMG_OK;
}

// The thunks of an image's imports; others are 0.
static void thunks_of(const struct binder *binder, const struct bound *image, const struct bundle_range *gates,
                      struct host_symbol *values)
{
  const struct tables *tables = tables_of(image);
  const uint32_t *numbers = binder->gate_uses + gates->first;
  for (uint32_t i = 0; i < tables->import_count; i++)
    if (is_gated(&tables->imports[i]))
      values[i].value = thunk_address(binder, *numbers++);
}

// A word of an image that gets the value of an import added in each process. Until the image has its place, its address
// is as linked.
static enum pkgimg_status leave_to_process(struct binder *binder, const struct bound *image, uint32_t import,
                                           uint64_t linked, int64_t addend)
{
  struct bundle_residual residual = {
      .address = linked, .type = R_X86_64_64, .image = BUNDLE_NONE, .addend = addend};
  const struct tables *tables = tables_of(image);
  TRY(number_of(binder, &binder->imports, tables, &tables->imports[import], &residual.import));
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
      if (!is_gated(&tables->imports[import]))
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
      if (!is_gated(&tables->imports[import]))
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

static const struct bound *target_of_set(const struct binder *binder, const struct bound *image, uint32_t set)
{
  return set == 0 ? image : &binder->images[image->dependencies[set - 1]];
}

// An address that is known when it is bound.
static bool is_final(const struct tables *tables, const struct disk_residual *residual)
{
  bool host = residual->set == tables_host_set(tables);
  return residual->type == R_X86_64_64 && (!host || is_gated(&tables->imports[residual->import]));
}

static void bind_address(struct binder *binder, const struct bound *image, const struct disk_residual *residual,
                         const struct host_symbol *values)
{
  uint64_t value = (uint64_t)residual->addend;
  if (residual->set == tables_host_set(tables_of(image))) {
    value += values[residual->import].value;
  } else {
    const struct bound *target = target_of_set(binder, image, residual->set);
    value += binder->base + target->offset;
    if (residual->clone && residual->clone <= tables_of(target)->clone_count)
      value += target->bodies[residual->clone - 1];
  }
  enum bundle_block block = residual->address < FORMAT_W_START ? BLOCK_L : BLOCK_W;
  memcpy(bound_at(binder, image, block) + (residual->address - bundle_starts[block]), &value, sizeof value);
  binder->report.sites++;
}

static enum pkgimg_status leave_residual(struct binder *binder, const struct bound *image,
                                         const struct disk_residual *residual)
{
  const struct tables *tables = tables_of(image);
  bool host = residual->set == tables_host_set(tables);
  if (is_final(tables, residual))
    return PKGIMG_OK;
  if (residual->type == R_X86_64_64)
    return leave_to_process(binder, image, residual->import, residual->address, residual->addend);
  struct bundle_residual left = {.address = residual->address,
                                 .type = residual->type,
                                 .import = BUNDLE_NONE,
                                 .image = BUNDLE_NONE,
                                 .addend = residual->addend};
  if (host)
    TRY(number_of(binder, &binder->imports, tables, &tables->imports[residual->import], &left.import));
  else
    left.image = (uint32_t)(target_of_set(binder, image, residual->set) - binder->images);
  if (residual->clone && residual->type == R_X86_64_IRELATIVE && !host)
    left.addend += target_of_set(binder, image, residual->set)->bodies[residual->clone - 1];
  return add_residual(binder, &left);
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
    if (is_final(&tables, &tables.residuals[i]))
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

// What an image needs of the host, and what it leaves to each process. Where it will lie is not known yet.
static enum pkgimg_status survey_image(struct binder *binder, const struct bound *image, struct bundle_image *entry)
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

static enum pkgimg_status bind_image(struct binder *binder, const struct bound *image,
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

// ---- clones and dependencies

// pkgimg_symbol looks into .dynsym: there a function with several bodies is the chosen one.
static void choose_symbols(struct binder *binder, const struct bound *image)
{
  const struct tables *tables = tables_of(image);
  Elf64_Sym *symbols = (Elf64_Sym *)(void *)(bound_at(binder, image, BLOCK_CODE) + tables->head->symbols.address);
  for (uint32_t i = 0; i < tables->clone_count; i++)
    symbols[tables->clones[i].symbol].st_value = image->bodies[i];
}

static enum pkgimg_status choose_bodies(struct binder *binder, struct bound *image)
{
  const struct tables *tables = tables_of(image);
  struct processor processor = {.features = &binder->features, .vector_bits = binder->vector_bits};
  struct choice choice = {.targets = 1};  // the baseline owns all functions with one body
  image->bodies = calloc(tables->clone_count + 1u, sizeof *image->bodies);
  if (!image->bodies)
    return fail_memory(binder->error, tables->clone_count * sizeof *image->bodies);
  if (tables->target_count == 0)
    return PKGIMG_OK;
  TRY(bodies_choose(image->dep->path, tables, &processor, image->bodies, &choice, binder->error));
  for (uint32_t i = 0; i < tables->target_count; i++)
    for (int word = 0; choice.targets >> i & 1 && word < FORMAT_FEATURE_WORDS; word++)
      binder->head.features[word] |= tables->targets[i].features[word];
  return PKGIMG_OK;
}

static enum pkgimg_status find_dependencies(struct binder *binder, size_t index)
{
  struct bound *image = &binder->images[index];
  const struct tables *tables = tables_of(image);
  image->dependencies = calloc(tables->dependency_count + 1u, sizeof *image->dependencies);
  if (!image->dependencies)
    return fail_memory(binder->error, tables->dependency_count * sizeof *image->dependencies);
  for (uint32_t i = 0; i < tables->dependency_count; i++) {
    const struct disk_dependency *wanted = &tables->dependencies[i];
    const struct dep *dep = deps_find(&binder->deps, tables->strings + wanted->name);
    if (!dep || dep->number >= index || memcmp(dep->file.header.geometry.build_id, wanted->build_id, 16) != 0)
      return fail_name(binder->error, PKGIMG_MALFORMED, image->dep->path, tables->strings + wanted->name,
                       "a dependency that its closure does not hold");
    image->dependencies[i] = dep->number;
  }
  return PKGIMG_OK;
}

// As a load finds it, image by image (image/sysimage.c). Two system images were refused when the images were read.
static enum pkgimg_status check_baseline(struct binder *binder, struct bound *image)
{
  const struct dep *sysimage = binder->deps.sysimage;
  if (!sysimage)
    return PKGIMG_OK;
  image->has_sysimage = image->dep == sysimage;
  for (uint32_t i = 0; i < tables_of(image)->dependency_count; i++)
    image->has_sysimage |= binder->images[image->dependencies[i]].has_sysimage;
  if (!image->has_sysimage)
    return PKGIMG_OK;
  struct cpu_baseline own = tables_baseline(image->dep->path, tables_of(image)),
                      below = tables_baseline(sysimage->path, &sysimage->file.tables);
  return cpu_baseline_check(cpu_isa_of_machine(FORMAT_HOST_MACHINE), &own, &below, binder->error);
}

enum pkgimg_status binder_begin(struct binder *binder)
{
  TRY(look_at_host(binder));
  return read_images(binder);
}

// Names of the host's symbols come first among the strings: every load reads them.
static enum pkgimg_status survey(struct binder *binder)
{
  TRY(buffer_append(&binder->strings, "", 1, binder->error));
  for (size_t i = 0; i < binder->deps.count; i++) {
    TRY(find_dependencies(binder, i));
    TRY(check_baseline(binder, &binder->images[i]));
    TRY(choose_bodies(binder, &binder->images[i]));
    TRY(survey_image(binder, &binder->images[i], &binder->entries[i]));
  }
  for (size_t i = 0; i < binder->deps.count; i++)
    TRY(binder_describe(binder, &binder->images[i], &binder->entries[i]));
  return PKGIMG_OK;
}

enum pkgimg_status binder_make(struct binder *binder)
{
  TRY(draw_base(binder));
  TRY(survey(binder));
  TRY(binder_order(binder));
  TRY(binder_tables(binder));
  TRY(lay_out(binder));
  TRY(copy_images(binder));
  for (size_t i = 0; i < binder->deps.count; i++) {
    choose_symbols(binder, &binder->images[i]);
    TRY(bind_image(binder, &binder->images[i], &binder->entries[i]));
  }
  return binder_finish(binder);
}
