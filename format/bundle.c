// SPDX-License-Identifier: MIT
#include "format/bundle_view.h"

#include "base/hash.h"

#include <string.h>

static enum pkgimg_status broken(const struct reader *reader, uint64_t offset, const char *what, uint64_t expected,
                                 uint64_t found)
{
  return fail_at(reader->error, PKGIMG_MALFORMED, reader->file, offset, what, expected, found);
}

// ---- the header

bool bundle_is(const uint8_t *bytes, size_t size)
{
  return size >= sizeof BUNDLE_MAGIC - 1 && memcmp(bytes, BUNDLE_MAGIC, sizeof BUNDLE_MAGIC - 1) == 0;
}

#define AT(member) offsetof(struct bundle_header, member)

static enum pkgimg_status block_check(const struct reader *reader, const struct bundle_header *head,
                                      unsigned index, uint64_t file_offset)
{
  static const uint64_t limits[BLOCK_COUNT] = {FORMAT_L_START, FORMAT_W_START - FORMAT_L_START, FORMAT_W_START / 3,
                                               8ull * UINT32_MAX};
  const struct bundle_block_at *block = &head->blocks[index];
  unsigned kind = index % BLOCK_COUNT;
  uint64_t at = AT(blocks) + (uint64_t)index * sizeof *block,
           least = kind < BLOCK_H ? bundle_slots_end(head, index / BLOCK_COUNT) : 0;
  if (block->size % FORMAT_PAGE)
    return broken(reader, at + 8, "size of a block (multiple of a page)", 0, block->size % FORMAT_PAGE);
  if (block->size > limits[kind])
    return broken(reader, at + 8, "size of a block", limits[kind], block->size);
  if (block->size < least)
    return broken(reader, at + 8, "size of a block", least, block->size);
  return block->file_offset == file_offset
             ? PKGIMG_OK
             : broken(reader, at, "file offset of a block", file_offset, block->file_offset);
}

static enum pkgimg_status unused_check(const struct reader *reader, const struct bundle_header *head)
{
  for (unsigned i = bundle_block_count(head); i < BUNDLE_BLOCKS; i++)
    if (head->blocks[i].file_offset || head->blocks[i].size)
      return broken(reader, AT(blocks) + i * sizeof *head->blocks, "a block of no region", 0,
                    head->blocks[i].file_offset | head->blocks[i].size);
  return PKGIMG_OK;
}

static enum pkgimg_status blocks_check(const struct reader *reader, const struct bundle_header *head)
{
  uint64_t end = 0, slots_size = bundle_slots_size(head), code_size = head->blocks[BLOCK_CODE].size;
  if (head->base == 0 || head->base % BUNDLE_ALIGN || head->base >= 1ull << 47)
    return broken(reader, AT(base), "base address (multiple of 2 MiB)", BUNDLE_ALIGN, head->base);
  if (head->regions == 0 || head->regions > BUNDLE_REGIONS)
    return broken(reader, AT(regions), "number of regions", BUNDLE_REGIONS, head->regions);
  for (unsigned i = 0; i < bundle_block_count(head); i++) {
    TRY(block_check(reader, head, i, bundle_block_offset(end, head->blocks[i].size)));
    end = head->blocks[i].file_offset + head->blocks[i].size;
  }
  TRY(unused_check(reader, head));
  if (head->slots < sizeof *head || head->slots % 8 || head->slots > code_size)
    return broken(reader, AT(slots), "where the words of the gates begin", sizeof *head, head->slots);
  if (head->gates.count > UINT32_MAX || !range_within(head->slots, slots_size, code_size))
    return broken(reader, AT(gates) + 8, "number of gates", (code_size - head->slots) / 8, head->gates.count);
  return PKGIMG_OK;
}

static enum pkgimg_status table_check(const struct reader *reader, const struct bundle_header *head,
                                      const char *what, const struct bundle_table *table, uint64_t size)
{
  uint64_t bytes, at = (uint64_t)((const uint8_t *)table - (const uint8_t *)head),
                  end = head->blocks[BLOCK_CODE].size;
  if (table->offset % 8)
    return broken(reader, at, what, table->offset & ~7ull, table->offset);
  if (!range_within(table->offset, 0, end))
    return broken(reader, at, what, end, table->offset);
  if (table->count > UINT32_MAX || __builtin_mul_overflow(table->count, size, &bytes) ||
      !range_within(table->offset, bytes, end))
    return broken(reader, at + 8, what, (end - table->offset) / size, table->count);
  return PKGIMG_OK;
}

static enum pkgimg_status index_check(const struct reader *reader, const struct bundle_header *head,
                                      const struct bundle_table *index)
{
  uint64_t capacity = index->count;
  if (capacity > head->images.count && (capacity & (capacity - 1)) == 0)
    return PKGIMG_OK;
  return broken(reader, (uint64_t)((const uint8_t *)index - (const uint8_t *)head) + 8,
                "capacity of an index (power of two)", head->images.count + 1, capacity);
}

static enum pkgimg_status tables_check(const struct reader *reader, const struct bundle_header *head)
{
  const struct {
    const struct bundle_table *table;
    uint64_t size;
    const char *what;
  } tables[] = {{&head->strings, 1, "strings"},
                {&head->images, sizeof(struct bundle_image), "images"},
                {&head->order, sizeof(uint32_t), "order of images"},
                {&head->names, sizeof(uint32_t), "index of names"},
                {&head->ids, sizeof(uint32_t), "index of build ids"},
                {&head->places, sizeof(struct bundle_library), "libraries with places"},
                {&head->gates, sizeof(struct bundle_gate), "gates"},
                {&head->gate_uses, sizeof(uint32_t), "uses of gates"},
                {&head->imports, sizeof(struct bundle_gate), "imports"},
                {&head->residuals, sizeof(struct bundle_residual), "residual relocations"},
                {&head->dependencies, sizeof(uint32_t), "dependencies"},
                {&head->bodies, sizeof(uint32_t), "bodies"},
                {&head->body_symbols, sizeof(uint32_t), "symbols of bodies"},
                {&head->roots, sizeof(struct disk_root), "roots"},
                {&head->libraries, sizeof(uint32_t), "libraries of the host"},
                {&head->unwind, sizeof(uint64_t), "unwind tables"},
                {&head->sysimage, sizeof(struct bundle_sysimage), "system image"},
                {&head->types, sizeof(struct bundle_range), "types"},
                {&head->statements, sizeof(struct bundle_statement), "statements of types"},
                {&head->type_numbers, sizeof(uint32_t), "numbers of types"},
                {&head->type_ids, sizeof(uint32_t), "index of types"}};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    TRY(table_check(reader, head, tables[i].what, tables[i].table, tables[i].size));
  if (head->strings.count == 0)
    return broken(reader, AT(strings) + 8, "bytes of strings", 1, 0);
  TRY(index_check(reader, head, &head->names));
  TRY(index_check(reader, head, &head->ids));
  if (head->main_image >= head->images.count)
    return broken(reader, AT(main_image), "main image", head->images.count, head->main_image + 1ull);
  if (head->sysimage.count > 1)
    return broken(reader, AT(sysimage) + 8, "number of system images", 1, head->sysimage.count);
  if (head->order.count != head->images.count)
    return broken(reader, AT(order) + 8, "number of images in their order", head->images.count, head->order.count);
  if (head->bodies.count != head->body_symbols.count)
    return broken(reader, AT(body_symbols) + 8, "number of symbols of bodies", head->bodies.count,
                  head->body_symbols.count);
  return PKGIMG_OK;
}

enum pkgimg_status bundle_header_read(const struct reader *reader, struct bundle_header *head)
{
  TRY(reader_copy(reader, "header of the bundle", 0, head, sizeof *head));
  uint64_t hash = hash64(reader->bytes.data + BUNDLE_HASHED, sizeof *head - BUNDLE_HASHED);
  if (!bundle_is(reader->bytes.data, reader->bytes.size))
    return fail(reader->error, PKGIMG_NOT_AN_IMAGE, reader->file, "not a bundle");
  if (head->version != BUNDLE_VERSION)
    return fail_at(reader->error, PKGIMG_WRONG_VERSION, reader->file, AT(version), "version of the bundle",
                   BUNDLE_VERSION, head->version);
  if (head->machine != FORMAT_HOST_MACHINE)
    return fail_at(reader->error, PKGIMG_WRONG_MACHINE, reader->file, AT(machine), "processor",
                   FORMAT_HOST_MACHINE, head->machine);
  if (hash != head->hash)
    return fail_at(reader->error, PKGIMG_MISMATCH, reader->file, AT(hash), "hash of the bundle's header",
                   head->hash, hash);
  if (head->aslr >= BUNDLE_ASLR_COUNT)
    return broken(reader, AT(aslr), "when addresses are drawn", BUNDLE_ASLR_COUNT - 1, head->aslr);
  TRY(blocks_check(reader, head));
  TRY(tables_check(reader, head));
  return bundle_types_header_check(reader, head);
}

#undef AT

uint64_t bundle_size(const struct bundle_header *head)
{
  const struct bundle_block_at *last = &head->blocks[bundle_block_count(head) - 1];
  return last->file_offset + last->size;
}

void bundle_thunk(uint64_t thunk, uint64_t slot, uint8_t *bytes)
{
  static const uint8_t jump[BUNDLE_THUNK_SIZE] = {0xff, 0x25, 0, 0, 0, 0, 0x66, 0x90};
  int32_t distance = (int32_t)(slot - (thunk + 6));
  memcpy(bytes, jump, sizeof jump);
  memcpy(bytes + 2, &distance, sizeof distance);
}

// ---- looking up

const char *bundle_string(struct bundle_view view, uint32_t offset)
{
  const struct bundle_table *strings = &view.head->strings;
  const char *text = span_string((struct span){view.code + strings->offset, strings->count}, offset);
  return text ? text : "";
}

static uint32_t find(struct bundle_view view, const struct bundle_table *index, uint64_t hash,
                     bool (*same)(struct bundle_view view, const struct bundle_image *image, const void *key),
                     const void *key)
{
  const uint32_t *items = bundle_table(view, index);
  for (uint64_t i = 0, at = hash; i < index->count; i++, at++) {
    uint32_t number = items[at & (index->count - 1)];
    if (number >= view.head->images.count)
      return BUNDLE_NONE;
    if (same(view, bundle_image(view, number), key))
      return number;
  }
  return BUNDLE_NONE;
}

static bool same_name(struct bundle_view view, const struct bundle_image *image, const void *key)
{
  return strcmp(bundle_string(view, image->name), key) == 0;
}

static bool same_id(struct bundle_view view, const struct bundle_image *image, const void *key)
{
  (void)view;
  return memcmp(image->geometry.build_id, key, 16) == 0;
}

uint32_t bundle_find_name(struct bundle_view view, const char *name)
{
  return find(view, &view.head->names, hash64(name, strlen(name)), same_name, name);
}

uint32_t bundle_find_id(struct bundle_view view, const uint8_t build_id[16])
{
  uint64_t hash;
  memcpy(&hash, build_id, sizeof hash);
  return find(view, &view.head->ids, hash, same_id, build_id);
}

// ---- an image

/// An entry under examination, and where it stands in the file.
struct examined {
  const struct reader *reader;
  struct bundle_view view;
  const struct bundle_image *image;
  uint64_t place;
};

#define AT(member) (examined->place + offsetof(struct bundle_image, member))

static enum pkgimg_status place_check(const struct examined *examined)
{
  const struct bundle_image *image = examined->image;
  const struct disk_area *areas = image->geometry.areas;
  const struct bundle_header *head = examined->view.head;
  uint64_t region = image->offset / BUNDLE_STRIDE, offset = image->offset % BUNDLE_STRIDE;
  uint64_t limit = region < head->regions ? bundle_slots_end(head, region) : 0;
  uint64_t first = region == 0 ? head->slots + bundle_slots_size(head) : FORMAT_PAGE;
  if (offset < first || offset % FORMAT_PAGE || offset > limit)
    return broken(examined->reader, AT(offset), "offset of an image", limit, image->offset);
  if (image->slot_size > limit - offset)
    return broken(examined->reader, AT(slot_size), "size of an image", limit - offset, image->slot_size);
  TRY(geometry_check(examined->reader, AT(geometry), &image->geometry));
  const uint64_t sizes[] = {areas[AREA_X].address + areas[AREA_X].memory_size, areas[AREA_L].memory_size,
                            areas[AREA_W].memory_size};
  for (int i = 0; i < 3; i++)
    if (sizes[i] > image->slot_size)
      return broken(examined->reader, AT(slot_size), "size of an image", sizes[i], image->slot_size);
  if (image->heap_size == 0)
    return PKGIMG_OK;
  uint64_t heap = image->heap - region * BUNDLE_STRIDE,
           heap_limit = head->blocks[region * BLOCK_COUNT + BLOCK_H].size;
  if (heap % FORMAT_HEAP_ALIGN || heap > heap_limit)
    return broken(examined->reader, AT(heap), "offset of a heap", heap_limit, image->heap);
  if (image->heap_size > heap_limit - heap)
    return broken(examined->reader, AT(heap_size), "size of a heap", heap_limit - heap, image->heap_size);
  return PKGIMG_OK;
}

static enum pkgimg_status range_check(const struct examined *examined, const char *what,
                                      const struct bundle_range *range, const struct bundle_table *table)
{
  uint64_t at = examined->place + (uint64_t)((const uint8_t *)range - (const uint8_t *)examined->image);
  if (range_within(range->first, range->count, table->count))
    return PKGIMG_OK;
  return broken(examined->reader, at, what, table->count, range->first + (uint64_t)range->count);
}

static enum pkgimg_status names_check(const struct examined *examined)
{
  const struct bundle_image *image = examined->image;
  const struct bundle_header *head = examined->view.head;
  if (!*bundle_string(examined->view, image->name))
    return broken(examined->reader, AT(name), "name of an image", head->strings.count, image->name);
  if (!*bundle_string(examined->view, image->path))
    return broken(examined->reader, AT(path), "path of an image", head->strings.count, image->path);
  TRY(range_check(examined, "dependencies", &image->dependencies, &head->dependencies));
  TRY(range_check(examined, "residual relocations", &image->residuals, &head->residuals));
  TRY(range_check(examined, "uses of gates", &image->gates, &head->gate_uses));
  TRY(range_check(examined, "libraries of an image", &image->libraries, &head->libraries));
  return range_check(examined, "bodies", &image->bodies, &head->bodies);
}

static enum pkgimg_status part_check(const struct examined *examined, const char *what,
                                     const struct disk_region *region, enum area area, uint64_t size)
{
  uint64_t at = examined->place + (uint64_t)((const uint8_t *)region - (const uint8_t *)examined->image);
  return region_check(examined->reader, &examined->image->geometry, what, at, region, area, size);
}

static enum pkgimg_status parts_check(const struct examined *examined)
{
  const struct bundle_image *image = examined->image;
  TRY(part_check(examined, "symbols", &image->symbols, AREA_R, sizeof(Elf64_Sym)));
  TRY(part_check(examined, "symbol strings", &image->symbol_strings, AREA_R, 1));
  TRY(part_check(examined, "symbol hash table", &image->symbol_hash, AREA_R, 1));
  TRY(part_check(examined, "unwind table", &image->unwind, AREA_R, 1));
  TRY(part_check(examined, "constructors", &image->init_array, AREA_L, 8));
  TRY(part_check(examined, "destructors", &image->fini_array, AREA_L, 8));
  TRY(part_check(examined, "thread-local template", &image->thread_local, AREA_L, 1));
  uint64_t bytes, start = image->exits.address - FORMAT_H_START;
  if (image->exits.count &&
      (__builtin_mul_overflow(image->exits.count, sizeof(struct disk_exit), &bytes) ||
       image->exits.address < FORMAT_H_START || start % 8 || !range_within(start, bytes, image->heap_size)))
    return broken(examined->reader, AT(exits), "address of the exits", FORMAT_H_START, image->exits.address);
  return PKGIMG_OK;
}

static enum pkgimg_status values_check(const struct examined *examined)
{
  const struct bundle_image *image = examined->image;
  const struct disk_area *code = &image->geometry.areas[AREA_X], *constants = &image->geometry.areas[AREA_L];
  uint64_t init = image->init_function, handle = image->handle, align = image->thread_local_align;
  if (init && (init < code->address || init - code->address >= code->memory_size))
    return broken(examined->reader, AT(init_function), "initialisation function", code->address, init);
  if (handle && (handle < constants->address || handle - constants->address >= constants->memory_size))
    return broken(examined->reader, AT(handle), "address of __dso_handle", constants->address, handle);
  if (image->thread_local.count > image->thread_local_size || image->thread_local_size > FORMAT_AREA_LIMIT)
    return broken(examined->reader, AT(thread_local_size), "size of a thread-local block",
                  image->thread_local.count, image->thread_local_size);
  if (image->thread_local_size && (align == 0 || (align & (align - 1)) || align > FORMAT_PAGE))
    return broken(examined->reader, AT(thread_local_align), "alignment of a thread-local block", FORMAT_PAGE,
                  align);
  return PKGIMG_OK;
}

#undef AT

static enum pkgimg_status roots_check(const struct examined *examined)
{
  const struct bundle_range *range = &examined->image->roots;
  const struct bundle_header *head = examined->view.head;
  const struct disk_root *roots = (const struct disk_root *)bundle_table(examined->view, &head->roots) + range->first;
  if (!range_within(range->first, range->count, head->roots.count))
    return broken(examined->reader, examined->place + offsetof(struct bundle_image, roots), "roots of an image",
                  head->roots.count, (uint64_t)range->first + range->count);
  for (uint32_t i = 0; i < range->count; i++) {
    uint64_t at = (uint64_t)((const uint8_t *)&roots[i] - examined->view.code);
    const char *name = bundle_string(examined->view, roots[i].name);
    if (!*name)
      return broken(examined->reader, at, "name of a root", head->strings.count, roots[i].name);
    if (i && strcmp(bundle_string(examined->view, roots[i - 1].name), name) >= 0)
      return broken(examined->reader, at, "names of roots in their order", i + 1, i);
    if (!address_is_inside(&examined->image->geometry, examined->image->heap_size, roots[i].address))
      return broken(examined->reader, at + offsetof(struct disk_root, address), "address of a root", FORMAT_H_START,
                    roots[i].address);
  }
  return PKGIMG_OK;
}

enum pkgimg_status bundle_image_check(const struct reader *reader, struct bundle_view view, uint32_t index)
{
  struct examined examined = {reader, view, bundle_image(view, index), 0};
  examined.place = (uint64_t)((const uint8_t *)examined.image - view.code);
  TRY(place_check(&examined));
  TRY(names_check(&examined));
  TRY(parts_check(&examined));
  TRY(roots_check(&examined));
  return values_check(&examined);
}

enum pkgimg_status bundle_residual_check(const struct reader *reader, struct bundle_view view,
                                         const struct bundle_image *image, const struct bundle_residual *residual,
                                         uint64_t size)
{
  uint64_t at = (uint64_t)((const uint8_t *)residual - view.code), address = residual->address;
  const uint64_t parts[][2] = {{image->offset + FORMAT_L_START, image->geometry.areas[AREA_L].memory_size},
                               {image->offset + FORMAT_W_START, image->geometry.areas[AREA_W].memory_size},
                               {image->heap + FORMAT_H_START, image->heap_size}};
  for (int i = 0; i < 3; i++)
    if (address >= parts[i][0] && range_within(address - parts[i][0], size, parts[i][1]))
      return PKGIMG_OK;
  return broken(reader, at, "address of a residual relocation", parts[0][0], address);
}

enum pkgimg_status bundle_sysimage_check(const struct reader *reader, struct bundle_view view)
{
  const struct bundle_table *table = &view.head->sysimage;
  const struct bundle_sysimage *sysimage = bundle_table(view, table);
  if (table->count == 0)
    return PKGIMG_OK;
  if (sysimage->image >= view.head->images.count)
    return broken(reader, table->offset, "number of the system image", view.head->images.count,
                  sysimage->image + 1ull);
  if (!*bundle_string(view, sysimage->target))
    return broken(reader, table->offset + 4, "target of the system image", view.head->strings.count,
                  sysimage->target);
  return PKGIMG_OK;
}

enum pkgimg_status bundle_unwind_check(const struct reader *reader, struct bundle_view view)
{
  const struct bundle_table *table = &view.head->unwind;
  const uint64_t *addresses = bundle_table(view, table);
  for (uint64_t i = 0; i < table->count; i++) {
    bool last = i + 1 == table->count;
    uint64_t from_base = addresses[i] - view.head->base, region = from_base / BUNDLE_STRIDE;
    uint64_t offset = from_base % BUNDLE_STRIDE,
             end = region < view.head->regions ? bundle_slots_end(view.head, region) : 0;
    if (last ? addresses[i] != 0 : offset < FORMAT_PAGE || offset >= end || offset % 4)
      return broken(reader, table->offset + 8 * i, "address of an unwind table", last ? 0 : view.head->base,
                    addresses[i]);
  }
  return PKGIMG_OK;
}
