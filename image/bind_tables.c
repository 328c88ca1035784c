// SPDX-License-Identifier: MIT
#include "base/hash.h"
#include "format/bundle_view.h"
#include "image/baseline.h"
#include "image/binder.h"
#include "linker/linker.h"

#include <stdlib.h>
#include <string.h>

// ---- entries

// What registers destructors while it runs must be known at the end.
static bool registers_exits(const struct tables *tables)
{
  for (uint32_t i = 0; i < tables->import_count; i++)
    if (strcmp(tables->strings + tables->imports[i].name, "__cxa_atexit") == 0)
      return true;
  return false;
}

// What libpkgimg itself needs, a process has that loads images.
static bool is_everywhere(const char *library)
{
  return strcmp(library, "libc.so.6") == 0 || strcmp(library, "ld-linux-x86-64.so.2") == 0;
}

static bool needs_libraries(const struct tables *tables)
{
  uint32_t i = 0;
  while (i < tables->library_count && is_everywhere(tables->strings + tables->libraries[i]))
    i++;
  return i < tables->library_count;
}

static uint32_t work_of(const struct binder *binder, const struct bound *image, const struct bundle_image *entry)
{
  const struct disk_tables *head = tables_of(image)->head;
  bool constructs = head->init_array.count && !(head->flags & FORMAT_CAPTURED);
  bool own = constructs || head->fini_array.count || head->exits.count || head->thread_local_size ||
             tables_of(image)->types.method_count || entry->residuals.count || registers_exits(tables_of(image));
  uint32_t work = (own ? BUNDLE_HAS_WORK | BUNDLE_CLOSURE_HAS_WORK : 0u) |
                  (head->init_function ? BUNDLE_HAS_INIT | BUNDLE_CLOSURE_HAS_INIT : 0u) |
                  (needs_libraries(tables_of(image)) ? BUNDLE_CLOSURE_HAS_LIBRARIES : 0u) |
                  (head->types.count ? BUNDLE_HAS_TYPES | BUNDLE_CLOSURE_HAS_TYPES : 0u) |
                  (tables_of(image)->types.method_count ? BUNDLE_HAS_METHODS : 0u);
  for (uint32_t i = 0; i < tables_of(image)->dependency_count; i++)
    work |= binder->entries[image->dependencies[i]].work & BUNDLE_OF_CLOSURE;
  return work;
}

enum pkgimg_status binder_describe(struct binder *binder, const struct bound *image, struct bundle_image *entry)
{
  const struct disk_tables *head = tables_of(image)->head;
  entry->slot_size = image->slot_size;
  entry->heap_size = head->heap.size;
  entry->flags = head->flags;
  entry->geometry = image->dep->file.header.geometry;
  entry->symbols = head->symbols;
  entry->symbol_strings = head->symbol_strings;
  entry->symbol_hash = head->symbol_hash;
  entry->unwind = head->unwind;
  entry->init_array = head->init_array;
  entry->fini_array = head->fini_array;
  entry->thread_local = head->thread_local;
  entry->thread_local_size = head->thread_local_size;
  entry->thread_local_align = head->thread_local_align;
  entry->init_function = head->init_function;
  entry->handle = head->handle;
  entry->exits = head->exits;
  entry->work = work_of(binder, image, entry);
  TRY(binder_string(binder, image->dep->name, &entry->name));
  return binder_path(binder, image->dep->path, &entry->path);
}

// ---- tables, behind the header

static enum pkgimg_status begin_table(struct binder *binder, struct bundle_table *table, size_t count)
{
  TRY(buffer_align(&binder->tables, 8, binder->error));
  *table = (struct bundle_table){.offset = binder->tables.size, .count = count};
  return PKGIMG_OK;
}

enum pkgimg_status binder_table(struct binder *binder, struct bundle_table *table, const void *items, size_t count,
                                size_t size)
{
  TRY(begin_table(binder, table, count));
  return count ? buffer_append(&binder->tables, items, count * size, binder->error) : PKGIMG_OK;
}

static uint64_t hash_of(const struct binder *binder, size_t image, bool by_id)
{
  uint64_t hash;
  if (!by_id)
    return hash64(binder->deps.items[image]->name, strlen(binder->deps.items[image]->name));
  memcpy(&hash, binder->deps.items[image]->file.header.geometry.build_id, sizeof hash);
  return hash;
}

static enum pkgimg_status add_index(struct binder *binder, struct bundle_table *table, bool by_id)
{
  size_t capacity = 4;
  while (capacity < 2 * binder->deps.count)
    capacity *= 2;
  uint32_t *index AUTO(free_pointer) = calloc(capacity, sizeof *index);
  if (!index)
    return fail_memory(binder->error, capacity * sizeof *index);
  memset(index, 0xff, capacity * sizeof *index);
  for (size_t i = 0; i < binder->deps.count; i++) {
    size_t at = hash_of(binder, i, by_id) & (capacity - 1);
    while (index[at] != BUNDLE_NONE)
      at = (at + 1) & (capacity - 1);
    index[at] = (uint32_t)i;
  }
  return binder_table(binder, table, index, capacity, sizeof *index);
}

static enum pkgimg_status add_dependencies(struct binder *binder)
{
  TRY(begin_table(binder, &binder->head.dependencies, 0));
  for (size_t i = 0; i < binder->deps.count; i++) {
    uint32_t count = tables_of(&binder->images[i])->dependency_count;
    binder->entries[i].dependencies = (struct bundle_range){(uint32_t)binder->head.dependencies.count, count};
    TRY(buffer_append(&binder->tables, binder->images[i].dependencies, count * sizeof(uint32_t), binder->error));
    binder->head.dependencies.count += count;
  }
  return PKGIMG_OK;
}

static enum pkgimg_status add_bodies(struct binder *binder)
{
  TRY(begin_table(binder, &binder->head.bodies, 0));
  for (size_t i = 0; i < binder->deps.count; i++) {
    uint32_t count = tables_of(&binder->images[i])->clone_count;
    binder->entries[i].bodies = (struct bundle_range){(uint32_t)binder->head.bodies.count, count};
    TRY(buffer_append(&binder->tables, binder->images[i].bodies, count * sizeof(uint32_t), binder->error));
    binder->head.bodies.count += count;
  }
  TRY(begin_table(binder, &binder->head.body_symbols, binder->head.bodies.count));
  for (size_t i = 0; i < binder->deps.count; i++)
    for (uint32_t j = 0; j < tables_of(&binder->images[i])->clone_count; j++)
      TRY(buffer_append(&binder->tables, &tables_of(&binder->images[i])->clones[j].symbol, sizeof(uint32_t),
                        binder->error));
  return PKGIMG_OK;
}

static enum pkgimg_status add_types(struct binder *binder)
{
  for (size_t i = 0; i < binder->deps.count; i++) {
    const struct tables *tables = tables_of(&binder->images[i]);
    const struct disk_table *types = &tables->head->types;
    TRY(binder_table(binder, &binder->entries[i].types, tables->bytes.data + types->offset, types->count, 1));
  }
  return PKGIMG_OK;
}

static enum pkgimg_status add_roots(struct binder *binder)
{
  TRY(begin_table(binder, &binder->head.roots, 0));
  for (size_t i = 0; i < binder->deps.count; i++) {
    const struct tables *tables = tables_of(&binder->images[i]);
    binder->entries[i].roots = (struct bundle_range){(uint32_t)binder->head.roots.count, tables->root_count};
    for (uint32_t j = 0; j < tables->root_count; j++) {
      struct disk_root root = tables->roots[j];
      TRY(binder_string(binder, tables->strings + root.name, &root.name));
      TRY(buffer_append(&binder->tables, &root, sizeof root, binder->error));
    }
    binder->head.roots.count += tables->root_count;
  }
  return PKGIMG_OK;
}

static enum pkgimg_status add_libraries(struct binder *binder)
{
  TRY(begin_table(binder, &binder->head.libraries, 0));
  for (size_t i = 0; i < binder->deps.count; i++) {
    const struct tables *tables = tables_of(&binder->images[i]);
    struct bundle_range *range = &binder->entries[i].libraries;
    range->first = (uint32_t)binder->head.libraries.count;
    for (uint32_t j = 0; j < tables->library_count; j++) {
      const char *name = tables->strings + tables->libraries[j];
      uint32_t offset;
      if (is_everywhere(name))
        continue;
      TRY(binder_string(binder, name, &offset));
      TRY(buffer_append(&binder->tables, &offset, sizeof offset, binder->error));
      range->count++;
    }
    binder->head.libraries.count += range->count;
  }
  return PKGIMG_OK;
}

// Room for their addresses, and the 0 at the end.
static enum pkgimg_status add_unwind(struct binder *binder)
{
  TRY(begin_table(binder, &binder->head.unwind, 1));
  for (size_t i = 0; i < binder->deps.count; i++)
    binder->head.unwind.count += tables_of(&binder->images[i])->head->unwind.count > 0;
  return buffer_append(&binder->tables, NULL, binder->head.unwind.count * sizeof(uint64_t), binder->error);
}

static enum pkgimg_status add_sysimage(struct binder *binder)
{
  const struct dep *dep = binder->deps.sysimage;
  struct bundle_sysimage sysimage = {0};
  if (!dep)
    return binder_table(binder, &binder->head.sysimage, &sysimage, 0, sizeof sysimage);
  struct cpu_baseline baseline = tables_baseline(dep->path, &dep->file.tables);
  sysimage.image = dep->number;
  memcpy(sysimage.features, baseline.features.words, sizeof sysimage.features);
  TRY(binder_string(binder, baseline.target, &sysimage.target));
  return binder_table(binder, &binder->head.sysimage, &sysimage, 1, sizeof sysimage);
}

// In the order in which a load reads them; strings when all have theirs.
enum pkgimg_status binder_tables(struct binder *binder)
{
  struct bundle_header *head = &binder->head;
  TRY(buffer_append(&binder->tables, NULL, round_up(sizeof *head, 64), binder->error));
  TRY(add_unwind(binder));
  TRY(binder_places(binder));
  TRY(add_libraries(binder));
  TRY(binder_table(binder, &head->gates, binder->gates.items, binder->gates.count, sizeof *binder->gates.items));
  TRY(add_dependencies(binder));
  TRY(add_roots(binder));
  TRY(add_bodies(binder));
  TRY(add_sysimage(binder));
  TRY(binder_table(binder, &head->imports, binder->imports.items, binder->imports.count,
                   sizeof *binder->imports.items));
  TRY(binder_table(binder, &head->residuals, binder->residuals, binder->residual_count,
                   sizeof *binder->residuals));
  TRY(binder_table(binder, &head->strings, binder->strings.data, binder->strings.size, 1));
  TRY(begin_table(binder, &head->images, binder->deps.count));
  TRY(buffer_append(&binder->tables, NULL, binder->deps.count * sizeof *binder->entries, binder->error));
  TRY(add_types(binder));
  TRY(add_index(binder, &head->names, false));
  TRY(add_index(binder, &head->ids, true));
  TRY(binder_table(binder, &head->order, binder->order, binder->deps.count, sizeof *binder->order));
  TRY(binder_table(binder, &head->gate_uses, binder->gate_uses, binder->gate_use_count,
                   sizeof *binder->gate_uses));
  return binder_type_tables(binder);
}

// ---- what depends on the places of the images

static void place_unwind(const struct binder *binder)
{
  uint64_t *addresses = (uint64_t *)(void *)(binder->tables.data + binder->head.unwind.offset);
  for (size_t i = 0; i < binder->deps.count; i++) {
    const struct disk_region *unwind = &tables_of(&binder->images[i])->head->unwind;
    if (unwind->count)
      *addresses++ = binder->base + binder->images[i].offset + unwind->address;
  }
}

// A word of the heap has its addend in it, where that is relocated by now.
static void place_residuals(const struct binder *binder, const struct bound *image,
                            const struct bundle_range *range)
{
  for (uint32_t i = 0; i < range->count; i++) {
    struct bundle_residual *residual = &binder->residuals[range->first + i];
    bool in_heap = residual->address >= FORMAT_H_START;
    if (in_heap)
      memcpy(&residual->addend, bound_at(binder, image, BLOCK_H) + (residual->address - FORMAT_H_START), 8);
    residual->address += in_heap ? image->heap : image->offset;
  }
}

static void place_all(const struct binder *binder)
{
  for (size_t i = 0; i < binder->deps.count; i++) {
    const struct bound *image = &binder->images[i];
    binder->entries[i].offset = image->offset;
    binder->entries[i].heap = image->heap;
    place_residuals(binder, image, &binder->entries[i].residuals);
  }
  place_unwind(binder);
  memcpy(binder->tables.data + binder->head.images.offset, binder->entries,
         binder->deps.count * sizeof *binder->entries);
  if (binder->residual_count)
    memcpy(binder->tables.data + binder->head.residuals.offset, binder->residuals,
           binder->residual_count * sizeof *binder->residuals);
}

static void add_thunks(const struct binder *binder)
{
  uint8_t *code = binder->blocks[BLOCK_CODE].data;
  for (size_t i = 0; i < binder->gates.count; i++) {
    uint64_t thunk = binder->gates_at + i * BUNDLE_THUNK_SIZE;
    bundle_thunk(thunk, binder_slot(binder, (uint32_t)i) - binder->base, code + thunk);
  }
}

// ---- the file

static enum pkgimg_status read_boot(struct binder *binder)
{
  struct buffer text AUTO(buffer_deinit) = {0};
  if (binder->options->aslr != PKGIMG_ASLR_BOOT)
    return PKGIMG_OK;
  TRY(file_read("/proc/sys/kernel/random/boot_id", &text, binder->error));
  uint64_t halves[2] = {hash64(text.data, text.size), hash64_seeded(text.data, text.size, 1)};
  memcpy(binder->head.boot, halves, sizeof halves);
  return PKGIMG_OK;
}

static enum pkgimg_status find_main(struct binder *binder)
{
  const char *wanted = binder->options->images[binder->options->image_count - 1];
  const char *slash = strrchr(wanted, '/');
  for (size_t i = 0; i < binder->deps.count; i++) {
    const struct dep *dep = binder->deps.items[i];
    size_t length = strlen(dep->name);
    const char *file = slash ? slash + 1 : wanted;
    if (strcmp(dep->path, wanted) == 0 || strcmp(dep->name, wanted) == 0 ||
        (strncmp(file, dep->name, length) == 0 && strcmp(file + length, ".so") == 0))
      binder->head.main_image = (uint32_t)i;
  }
  return PKGIMG_OK;
}

// Each block is followed by zeros up to where the next one begins.
static enum pkgimg_status place_blocks(struct binder *binder)
{
  struct bundle_block_at *blocks = binder->head.blocks;
  uint64_t end = 0;
  binder->head.regions = binder->regions;
  for (unsigned i = 0; i < bundle_block_count(&binder->head); i++) {
    struct buffer *block = &binder->blocks[i];
    TRY(buffer_append(block, NULL, round_up(block->size, FORMAT_PAGE) - block->size, binder->error));
    blocks[i].size = block->size;
    blocks[i].file_offset = bundle_block_offset(end, block->size);
    if (i > 0)
      TRY(buffer_append(&binder->blocks[i - 1], NULL, blocks[i].file_offset - end, binder->error));
    end = blocks[i].file_offset + block->size;
  }
  binder->report.bytes = end;
  return PKGIMG_OK;
}

static enum pkgimg_status fill_header(struct binder *binder)
{
  struct bundle_header *head = &binder->head;
  memcpy(head->magic, BUNDLE_MAGIC, sizeof head->magic);
  head->version = BUNDLE_VERSION;
  head->machine = FORMAT_HOST_MACHINE;
  head->base = binder->base;
  head->page_size = FORMAT_PAGE;
  head->aslr = binder->options->aslr;
  head->slots = binder->gates_at;
  TRY(find_main(binder));
  TRY(read_boot(binder));
  return place_blocks(binder);
}

static enum pkgimg_status identify(struct binder *binder)
{
  struct bundle_header *head = &binder->head;
  struct hash128 *hash = hash128_create();
  if (!hash)
    return fail_memory(binder->error, sizeof *head);
  memcpy(binder->blocks[BLOCK_CODE].data, head, sizeof *head);
  for (unsigned i = 0; i < bundle_block_count(head); i++)
    hash128_add(hash, binder->blocks[i].data, binder->blocks[i].size);
  hash128_result(hash, head->build_id);
  hash128_destroy(hash);
  head->hash = hash64((const uint8_t *)head + BUNDLE_HASHED, sizeof *head - BUNDLE_HASHED);
  memcpy(binder->blocks[BLOCK_CODE].data, head, sizeof *head);
  return PKGIMG_OK;
}

enum pkgimg_status binder_finish(struct binder *binder)
{
  place_all(binder);
  memcpy(binder->blocks[BLOCK_CODE].data, binder->tables.data, binder->tables.size);
  add_thunks(binder);
  TRY(fill_header(binder));
  return identify(binder);
}
