// SPDX-License-Identifier: MIT
//
// bind: images -> bundle. Lays the images out, applies every site with the addresses that they will have, and
// leaves to a process what only a process knows. No code of an image runs.
#include "cpuid/detect.h"
#include "cpuid/target.h"
#include "format/packed.h"
#include "image/baseline.h"
#include "image/binder.h"
#include "image/bodies.h"
#include "linker/linker.h"
#include "mapper/mapper.h"

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
  merged_deinit(&binder->merged);
  deps_deinit(&binder->deps);
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

// Of an area, for images. In front of those of the first region there are tables, and functions of the host;
// behind them, types.
static uint64_t region_room(const struct binder *binder)
{
  const uint64_t slots = 4 * BUNDLE_ALIGN + binder_types_room(binder), reach = binder->options->reach;
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
  if (place->region == 0)
    TRY(binder_place_types(binder));
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
  uint64_t size =
      round_up(binder->gates.count * BUNDLE_THUNK_SIZE + (binder->merged.count ? BUNDLE_ORIGIN_SIZE : 0), 64);
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
                "base address 0x%llx: expected a multiple of 0x%x", (unsigned long long)binder->base,
                BUNDLE_ALIGN);
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
    TRY(binder_survey(binder, &binder->images[i], &binder->entries[i]));
  }
  for (size_t i = 0; i < binder->deps.count; i++)
    TRY(binder_describe(binder, &binder->images[i], &binder->entries[i]));
  return binder_merge_types(binder);
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
    TRY(binder_relocate(binder, &binder->images[i], &binder->entries[i]));
    TRY(binder_relax(binder, &binder->images[i], &binder->entries[i]));
  }
  binder_fill_types(binder);
  return binder_finish(binder);
}
