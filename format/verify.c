// SPDX-License-Identifier: MIT
//
// A whole file: what `pkgimg verify` promises, and what an inspection and a build start from.
#include "base/hash.h"
#include "format/checks.h"
#include "format/packed.h"
#include "format/sites.h"
#include "format/view.h"

#include <string.h>

struct hole {
  uint64_t offset;
  uint64_t size;
};

static void hash_around(struct hash128 *hash, struct span bytes, const struct hole *holes, size_t count)
{
  uint64_t at = 0;
  for (size_t i = 0; i < count; i++) {
    hash128_add(hash, bytes.data + at, holes[i].offset - at);
    hash128_add_zeros(hash, holes[i].size);
    at = holes[i].offset + holes[i].size;
  }
  hash128_add(hash, bytes.data + at, bytes.size - at);
}

enum pkgimg_status image_file_identity(const struct reader *reader, uint64_t note_offset, uint64_t tables_offset,
                                       uint8_t build_id[16])
{
  const struct hole holes[] = {
      {note_offset + offsetof(struct disk_note, header.geometry.build_id), 16},
      {note_offset + FORMAT_GNU_NOTE_ID, 16},
      {tables_offset + offsetof(struct disk_tables, build_id), 16},
  };
  const void *ignored;
  for (int i = 0; i < 3; i++) {
    TRY(reader_array(reader, "build id", holes[i].offset, 1, holes[i].size, 1, &ignored));
    if (i > 0 && holes[i].offset < holes[i - 1].offset + holes[i - 1].size)
      return fail(reader->error, PKGIMG_MALFORMED, reader->file, "build ids overlap");
  }
  struct hash128 *hash = hash128_create();
  if (!hash)
    return fail_memory(reader->error, 512);
  hash_around(hash, reader->bytes, holes, 3);
  hash128_result(hash, build_id);
  hash128_destroy(hash);
  return PKGIMG_OK;
}

static enum pkgimg_status identity_check(const struct reader *reader, const struct image_file *image)
{
  uint64_t note;
  uint8_t computed[16];
  const uint8_t *recorded = image->header.geometry.build_id;
  TRY(note_find(reader, &note));
  TRY(image_file_identity(reader, note, image->header.geometry.tables_offset, computed));
  struct hex_id expected = hex_id(recorded), found = hex_id(computed);
  if (memcmp(computed, recorded, 16) != 0)
    return fail(reader->error, PKGIMG_MISMATCH, reader->file, "build id: recorded %s, but the bytes have %s",
                expected.text, found.text);
  const uint8_t *gnu = reader->bytes.data + note + FORMAT_GNU_NOTE_ID;
  if (memcmp(gnu, recorded, 16) != 0)
    return fail(reader->error, PKGIMG_MISMATCH, reader->file, "build id of the GNU note: expected %s, found %s",
                expected.text, hex_id(gnu).text);
  return PKGIMG_OK;
}

static enum pkgimg_status segment_check(const struct reader *reader, uint64_t at, const Elf64_Phdr *segment,
                                        const struct disk_area *area, uint32_t flags)
{
  const struct {
    const char *what;
    bool good;
    uint64_t expected, found;
  } checks[] = {
      {"address of a segment", segment->p_vaddr == area->address, area->address, segment->p_vaddr},
      {"offset of a segment", segment->p_offset == area->file_offset, area->file_offset, segment->p_offset},
      {"file size of a segment", segment->p_filesz <= area->file_size, area->file_size, segment->p_filesz},
      {"memory size of a segment", segment->p_memsz <= area->memory_size, area->memory_size, segment->p_memsz},
      {"flags of a segment", segment->p_flags == flags, flags, segment->p_flags},
  };
  for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
    if (!checks[i].good)
      return fail_at(reader->error, PKGIMG_MALFORMED, reader->file, at, checks[i].what, checks[i].expected,
                     checks[i].found);
  return PKGIMG_OK;
}

// The loadable segments, in order, are the areas that are not empty: ld.so would map the same.
static enum pkgimg_status segments_check(const struct reader *reader, const struct disk_geometry *geometry)
{
  static const uint32_t flags[AREA_COUNT] = {PF_R, PF_R | PF_X, PF_R | PF_W, PF_R | PF_W};
  Elf64_Ehdr elf;
  TRY(reader_copy(reader, "ELF header", 0, &elf, sizeof elf));
  unsigned area = 0;
  for (unsigned i = 0; i < elf.e_phnum; i++) {
    Elf64_Phdr segment;
    uint64_t at = elf.e_phoff + i * sizeof segment;
    TRY(reader_copy(reader, "program header", at, &segment, sizeof segment));
    if (segment.p_type != PT_LOAD)
      continue;
    while (area < AREA_COUNT && geometry->areas[area].memory_size == 0)
      area++;
    const struct disk_area *expected = area < AREA_COUNT ? &geometry->areas[area++] : NULL;
    if (!expected)
      return fail_at(reader->error, PKGIMG_MALFORMED, reader->file, at, "number of loadable segments", AREA_COUNT,
                     AREA_COUNT + 1);
    TRY(segment_check(reader, at, &segment, expected, flags[area - 1]));
  }
  return PKGIMG_OK;
}

struct span image_file_bytes(const struct image_file *image, uint64_t address, uint64_t size)
{
  for (int i = 0; i < AREA_COUNT; i++) {
    const struct disk_area *area = &image->header.geometry.areas[i];
    if (address >= area->address && range_within(address - area->address, size, area->file_size))
      return (struct span){image->reader.bytes.data + area->file_offset + (address - area->address), size};
  }
  return (struct span){0};
}

static enum pkgimg_status symbols_check(struct image_file *image)
{
  const struct disk_tables *head = image->tables.head;
  struct span table = image_file_bytes(image, head->symbols.address, head->symbols.count * sizeof(Elf64_Sym));
  struct span strings = image_file_bytes(image, head->symbol_strings.address, head->symbol_strings.count);
  struct span hash = image_file_bytes(image, head->symbol_hash.address, head->symbol_hash.count);
  if (!symbols_init(&image->symbols, table, strings, hash))
    return fail(image->reader.error, PKGIMG_MALFORMED, image->reader.file,
                "the symbol hash table contradicts its size");
  return PKGIMG_OK;
}

static enum pkgimg_status sets_walk(const struct image_file *image, const struct disk_site_set *sets,
                                    uint32_t count)
{
  const struct tables *tables = &image->tables;
  for (uint32_t i = 0; i < count; i++)
    if (!sites_valid(set_bytes(tables, &sets[i]), tables->head->words, sets[i].count))
      return fail_at(image->reader.error, PKGIMG_MALFORMED, image->reader.file,
                     image->header.geometry.tables_offset + sets[i].offset, "bitmap of sites (number of them)",
                     sets[i].count, i);
  return PKGIMG_OK;
}

static enum pkgimg_status captured_walk(const struct image_file *image)
{
  const struct tables *tables = &image->tables;
  for (uint32_t i = 0; i < tables->captured_set_count; i++) {
    const struct disk_captured_set *set = &tables->captured_sets[i];
    if (!sites_valid(captured_bytes(tables, set), captured_universe(tables, set), set->count))
      return fail_at(image->reader.error, PKGIMG_MALFORMED, image->reader.file,
                     image->header.geometry.tables_offset + set->offset,
                     "bitmap of captured sites (number of them)", set->count, i);
  }
  return PKGIMG_OK;
}

static enum pkgimg_status sites_check(const struct image_file *image)
{
  TRY(sets_walk(image, image->tables.site_sets, image->tables.set_count));
  TRY(captured_walk(image));
  return sets_walk(image, image->tables.clone_sets, image->tables.clone_set_count);
}

static enum pkgimg_status broken_member(const struct image_file *image, const void *member, const char *what,
                                 uint64_t expected, uint64_t found)
{
  uint64_t at =
      image->header.geometry.tables_offset + (uint64_t)((const uint8_t *)member - image->tables.bytes.data);
  return fail_at(image->reader.error, PKGIMG_MALFORMED, image->reader.file, at, what, expected, found);
}

// The dynamic symbol of a function with several bodies, which ld.so goes by, is the baseline's.
static enum pkgimg_status clones_check(const struct image_file *image)
{
  const struct tables *tables = &image->tables;
  for (uint32_t i = 0; i < tables->clone_count; i++) {
    const struct disk_clone *clone = &tables->clones[i];
    uint64_t value = clone->symbol < image->symbols.count ? image->symbols.symbols[clone->symbol].st_value : 0;
    if (value != clone_body(tables, clone, 0))
      return broken_member(image, clone, "address of a clone's symbol", clone_body(tables, clone, 0), value);
  }
  return PKGIMG_OK;
}

// A load checks these as it uses them, and those of dependencies, which only a load has.
static enum pkgimg_status clone_numbers_check(const struct image_file *image)
{
  const struct tables *tables = &image->tables;
  uint32_t own_sites = tables->clone_set_count ? tables->clone_sets[FORMAT_SET_SELF].count : 0;
  for (uint32_t i = 0; i < own_sites; i++)
    if (tables->site_clones[i] >= tables->clone_count)
      return broken_member(image, &tables->site_clones[i], "number of clones that a site needs",
                    tables->site_clones[i] + 1ull, tables->clone_count);
  for (uint32_t i = 0; i < tables->residual_count; i++) {
    const struct disk_residual *residual = &tables->residuals[i];
    if (residual->set == FORMAT_SET_SELF && residual->clone > tables->clone_count)
      return broken_member(image, residual, "number of clones that a residual relocation needs", residual->clone,
                    tables->clone_count);
  }
  return PKGIMG_OK;
}

static enum pkgimg_status data_check(const struct reader *reader, const struct image_file *image)
{
  const struct disk_area *areas = image->header.geometry.areas;
  uint64_t start = areas[AREA_L].file_offset;
  uint64_t hash = data_hash(&image->header.geometry, reader->bytes.data + start,
                            reader->bytes.data + areas[AREA_W].file_offset);
  if (hash == image->tables.head->data_hash)
    return PKGIMG_OK;
  return fail_at(reader->error, PKGIMG_MISMATCH, reader->file, start, "hash of the data",
                 image->tables.head->data_hash, hash);
}

// A reader of a part of the file.
static enum pkgimg_status part(const struct reader *file, const char *what, uint64_t offset, uint64_t size,
                               struct reader *result)
{
  const void *bytes;
  TRY(reader_array(file, what, offset, 1, size, 8, &bytes));
  *result = (struct reader){.file = file->file, .origin = offset, .bytes = {bytes, size}, .error = file->error};
  return PKGIMG_OK;
}

static enum pkgimg_status parts_read(const struct reader *reader, struct image_file *image)
{
  struct reader tables, closure;
  const struct disk_header *header = &image->header;
  TRY(part(reader, "tables", header->geometry.tables_offset, header->geometry.tables_size, &tables));
  TRY(tables_read(&tables, &header->geometry, &image->tables));
  TRY(part(reader, "closure", header->closure_offset, header->closure_size, &closure));
  TRY(closure_read(&closure, &image->tables, &image->closure));
  const struct disk_heap *heap = &image->tables.head->heap;
  uint64_t end = header->closure_offset + header->closure_size;
  if (heap->size && heap->file_offset < end)
    return fail_at(reader->error, PKGIMG_MALFORMED, reader->file, header->geometry.tables_offset,
                   "file offset of the heap", end, heap->file_offset);
  return heap->size ? part(reader, "heap", heap->file_offset, heap->stored_size, &image->heap) : PKGIMG_OK;
}

static enum pkgimg_status heap_unpacks(const struct image_file *image, struct unpacker *unpacker)
{
  uint8_t piece[16384];
  struct span input = image->heap.bytes;
  for (size_t made = 1; made > 0 && !unpacker_is_done(unpacker);)
    TRY(unpack(unpacker, &input, piece, sizeof piece, &made));
  return unpacker_finish(unpacker, input.size);
}

// A compressed heap must unpack to what it announces.
static enum pkgimg_status heap_check(const struct image_file *image)
{
  const struct disk_heap *heap = &image->tables.head->heap;
  if (heap->size == 0 || heap->compression == HEAP_PLAIN)
    return PKGIMG_OK;
  struct unpacker *unpacker = unpacker_create(&image->heap, heap->size);
  if (!unpacker)
    return fail_memory(image->reader.error, heap->size);
  enum pkgimg_status status = heap_unpacks(image, unpacker);
  unpacker_destroy(unpacker);
  return status;
}

static enum pkgimg_status descriptions_check(const struct image_file *image)
{
  const struct types *types = &image->tables.types;
  if (!types->head)
    return PKGIMG_OK;
  const struct disk_region *region = &types->head->descriptions;
  struct reader reader = {.file = image->reader.file,
                          .origin = region->address,  // R begins at 0, in the file as in memory
                          .bytes = image_file_bytes(image, region->address, region->count),
                          .error = image->reader.error};
  return descriptions_read(&reader, types->type_count, types->head->descriptions_hash);
}

enum pkgimg_status image_file_read(const struct reader *reader, struct image_file *image)
{
  *image = (struct image_file){.reader = *reader};
  TRY(header_read(reader, &image->header));
  TRY(parts_read(reader, image));
  TRY(segments_check(reader, &image->header.geometry));
  TRY(data_check(reader, image));
  TRY(symbols_check(image));
  TRY(heap_check(image));
  TRY(sites_check(image));
  TRY(clones_check(image));
  TRY(clone_numbers_check(image));
  TRY(accesses_check(image));
  TRY(descriptions_check(image));
  return identity_check(reader, image);
}
