// SPDX-License-Identifier: MIT
#include "format/view.h"

#include "base/hash.h"
#include "format/checks.h"

#include <string.h>

const char *machine_name(unsigned machine)
{
  return machine == EM_X86_64 ? "x86-64" : machine == EM_AARCH64 ? "aarch64" : "unknown";
}

static enum pkgimg_status elf_header_check(const struct reader *reader, const Elf64_Ehdr *elf)
{
  if (memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0)
    return fail(reader->error, PKGIMG_NOT_AN_IMAGE, reader->file, "not an ELF file");
  if (elf->e_ident[EI_CLASS] != ELFCLASS64)
    return fail_at(reader->error, PKGIMG_WRONG_MACHINE, reader->file, EI_CLASS, "ELF class", ELFCLASS64,
                   elf->e_ident[EI_CLASS]);
  if (elf->e_ident[EI_DATA] != ELFDATA2LSB)
    return fail_at(reader->error, PKGIMG_WRONG_MACHINE, reader->file, EI_DATA, "ELF byte order", ELFDATA2LSB,
                   elf->e_ident[EI_DATA]);
  if (elf->e_machine != FORMAT_HOST_MACHINE)
    return fail_at(reader->error, PKGIMG_WRONG_MACHINE, reader->file, offsetof(Elf64_Ehdr, e_machine),
                   "processor (e_machine)", FORMAT_HOST_MACHINE, elf->e_machine);
  if (elf->e_type != ET_DYN)
    return fail_at(reader->error, PKGIMG_NOT_AN_IMAGE, reader->file, offsetof(Elf64_Ehdr, e_type),
                   "ELF type (a shared object)", ET_DYN, elf->e_type);
  if (elf->e_phentsize != sizeof(Elf64_Phdr))
    return broken(reader, offsetof(Elf64_Ehdr, e_phentsize), "size of a program header", sizeof(Elf64_Phdr),
                  elf->e_phentsize);
  return PKGIMG_OK;
}

static enum pkgimg_status program_headers(const struct reader *reader, const Elf64_Phdr **headers, unsigned *count)
{
  Elf64_Ehdr elf;
  if (reader->bytes.size >= SELFMAG && memcmp(reader->bytes.data, ELFMAG, SELFMAG) != 0)
    return fail(reader->error, PKGIMG_NOT_AN_IMAGE, reader->file, "not an ELF file");
  TRY(reader_copy(reader, "ELF header", 0, &elf, sizeof elf));
  TRY(elf_header_check(reader, &elf));
  const void *array;
  TRY(reader_array(reader, "program headers", elf.e_phoff, elf.e_phnum, sizeof **headers, 8, &array));
  *headers = array;
  *count = elf.e_phnum;
  return PKGIMG_OK;
}

// Whether the note at `offset` is ours.
static bool is_our_note(const struct reader *reader, uint64_t offset)
{
  struct disk_note note;
  if (!range_within(offset, sizeof note, reader->bytes.size))
    return false;
  memcpy(&note, reader->bytes.data + offset, sizeof note);
  return note.name_size == sizeof note.name && note.type == FORMAT_NOTE_TYPE &&
         memcmp(note.name, FORMAT_NOTE_NAME, sizeof note.name) == 0;
}

enum pkgimg_status note_find(const struct reader *reader, uint64_t *offset)
{
  const Elf64_Phdr *headers = NULL;
  unsigned count = 0;
  TRY(program_headers(reader, &headers, &count));
  for (unsigned i = 0; i < count; i++) {
    // The note comes first in its segment, by the linker script that made the file.
    if (headers[i].p_type == PT_NOTE && is_our_note(reader, headers[i].p_offset)) {
      *offset = headers[i].p_offset;
      return PKGIMG_OK;
    }
  }
  return fail(reader->error, PKGIMG_NOT_AN_IMAGE, reader->file, "a shared library, but not a package image");
}

static enum pkgimg_status header_check(const struct reader *reader, uint64_t place,
                                       const struct disk_header *header)
{
  if (header->version != FORMAT_VERSION)
    return fail_at(reader->error, PKGIMG_WRONG_VERSION, reader->file, place, "format version", FORMAT_VERSION,
                   header->version);
  if (header->machine != FORMAT_HOST_MACHINE)
    return fail_at(reader->error, PKGIMG_WRONG_MACHINE, reader->file, place + 4, "processor", FORMAT_HOST_MACHINE,
                   header->machine);
  if (header->flags)
    return broken(reader, place + 8, "flags", 0, header->flags);
  if (header->area_count != AREA_COUNT)
    return broken(reader, place + 12, "number of areas", AREA_COUNT, header->area_count);
  TRY(geometry_check(reader, place + offsetof(struct disk_header, geometry), &header->geometry));
  uint64_t end = header->geometry.tables_offset + header->geometry.tables_size;
  if (header->closure_offset != end)
    return broken(reader, place + offsetof(struct disk_header, closure_offset), "offset of the closure", end,
                  header->closure_offset);
  if (header->closure_size > UINT32_MAX)
    return broken(reader, place + offsetof(struct disk_header, closure_size), "size of the closure", UINT32_MAX,
                  header->closure_size);
  return PKGIMG_OK;
}

enum pkgimg_status header_read(const struct reader *reader, struct disk_header *header)
{
  uint64_t note;
  TRY(note_find(reader, &note));
  uint64_t place = note + offsetof(struct disk_note, header);
  memcpy(header, reader->bytes.data + place, sizeof *header);
  return header_check(reader, place, header);
}

static enum pkgimg_status area_check(const struct reader *reader, uint64_t place, const struct disk_area *area,
                                     bool words, uint64_t address, uint64_t least_offset)
{
  if (area->address != address)
    return broken(reader, place, "address of an area", address, area->address);
  if (area->memory_size > FORMAT_AREA_LIMIT)
    return broken(reader, place + 8, "memory size of an area", FORMAT_AREA_LIMIT, area->memory_size);
  if (area->file_size > area->memory_size)
    return broken(reader, place + 24, "file size of an area", area->memory_size, area->file_size);
  if (area->file_offset < least_offset || area->file_offset > UINT32_MAX)
    return broken(reader, place + 16, "file offset of an area", least_offset, area->file_offset);
  if (area->file_offset % FORMAT_PAGE)
    return broken(reader, place + 16, "file offset of an area (multiple of a page)", 0,
                  area->file_offset % FORMAT_PAGE);
  if (words ? area->file_size % 8 : area->file_size != area->memory_size)
    return broken(reader, place + 24, "file size of an area", words ? area->file_size & ~7ull : area->memory_size,
                  area->file_size);
  return PKGIMG_OK;
}

static uint64_t round_page(uint64_t size)
{
  return (size + FORMAT_PAGE - 1) & ~(uint64_t)(FORMAT_PAGE - 1);
}

static uint64_t area_file_end(const struct disk_area *area)
{
  return area->file_offset + area->file_size;
}

uint64_t geometry_hash(const struct disk_geometry *geometry)
{
  return hash64(geometry->areas, sizeof *geometry - offsetof(struct disk_geometry, areas));
}

uint64_t data_hash(const struct disk_geometry *geometry, const void *constants, const void *data)
{
  return hash64_seeded(data, geometry->areas[AREA_W].file_size,
                       hash64(constants, geometry->areas[AREA_L].file_size));
}

enum pkgimg_status geometry_check(const struct reader *reader, uint64_t place,
                                  const struct disk_geometry *geometry)
{
  const struct disk_area *areas = geometry->areas;
  const uint64_t starts[AREA_COUNT] = {0, round_page(areas[AREA_R].memory_size), FORMAT_L_START, FORMAT_W_START};
  uint64_t least = 0;
  for (unsigned i = 0; i < AREA_COUNT; i++) {
    uint64_t at = place + offsetof(struct disk_geometry, areas) + i * sizeof *areas;
    TRY(area_check(reader, at, &areas[i], i == AREA_L || i == AREA_W, starts[i], least));
    least = area_file_end(&areas[i]);
  }
  // One call reads L, W and the tables, so nothing but the rest of a page lies between L and W.
  uint64_t data = round_page(area_file_end(&areas[AREA_L]));
  if (areas[AREA_W].file_offset != data)
    return broken(reader, place + 32 + 3 * sizeof *areas, "file offset of an area", data,
                  areas[AREA_W].file_offset);
  uint64_t at = place + offsetof(struct disk_geometry, tables_offset);
  // In memory as in the file.
  for (unsigned i = AREA_R; i <= AREA_X; i++)
    if (areas[i].file_offset != areas[i].address)
      return broken(reader, place + 32 + i * sizeof *areas, "file offset of an area", areas[i].address,
                    areas[i].file_offset);
  if (geometry->tables_offset < least || geometry->tables_offset - least >= 8 || geometry->tables_offset % 8)
    return broken(reader, at, "offset of the tables", (least + 7) & ~7ull, geometry->tables_offset);
  if (geometry->tables_size < sizeof(struct disk_tables) || geometry->tables_size > UINT32_MAX)
    return broken(reader, at + 8, "size of the tables", sizeof(struct disk_tables), geometry->tables_size);
  return PKGIMG_OK;
}

static enum pkgimg_status hash_check(const struct reader *reader, const char *what, uint64_t place,
                                     uint64_t recorded, uint64_t computed)
{
  if (recorded == computed)
    return PKGIMG_OK;
  return fail_at(reader->error, PKGIMG_MISMATCH, reader->file, reader->origin + place, what, recorded, computed);
}

// The bytes behind the first `skip` ones are what the hash in front of them guards.
static uint64_t hash_behind(struct span bytes, size_t skip)
{
  return hash64(bytes.data + skip, bytes.size - skip);
}

static enum pkgimg_status magic_check(const struct reader *reader, const char *what, const char magic[8],
                                      const char *expected)
{
  uint64_t values[2];
  memcpy(&values[0], expected, 8);
  memcpy(&values[1], magic, 8);
  return values[0] == values[1] ? PKGIMG_OK : broken(reader, 0, what, values[0], values[1]);
}

static enum pkgimg_status tables_identity(const struct reader *reader, const struct disk_geometry *geometry,
                                          const struct disk_tables *head)
{
  TRY(magic_check(reader, "start of the tables", head->magic, FORMAT_TABLES_MAGIC));
  if (memcmp(head->build_id, geometry->build_id, sizeof head->build_id) != 0) {
    struct hex_id expected = hex_id(geometry->build_id), found = hex_id(head->build_id);
    return fail(reader->error, PKGIMG_MISMATCH, reader->file, "build id: expected %s, found %s", expected.text,
                found.text);
  }
  TRY(hash_check(reader, "hash of the tables", offsetof(struct disk_tables, hash), head->hash,
                 hash_behind(reader->bytes, FORMAT_TABLES_HASHED)));
  return hash_check(reader, "hash of the geometry", offsetof(struct disk_tables, geometry_hash),
                    head->geometry_hash, geometry_hash(geometry));
}

static enum pkgimg_status table(const struct reader *reader, const char *what, const struct disk_table *at,
                                size_t size, const void *array, uint32_t *count)
{
  const void *found;
  TRY(reader_array(reader, what, at->offset, at->count, size, size < 8 ? size : 8, &found));
  memcpy((void *)(uintptr_t)array, &found, sizeof found);
  *count = at->count;
  return PKGIMG_OK;
}

static enum pkgimg_status tables_locate(const struct reader *reader, struct tables *tables)
{
  const struct disk_tables *head = tables->head;
  uint32_t size;
  TRY(table(reader, "strings", &head->strings, 1, &tables->strings, &size));
  if (size == 0)
    return broken(reader, offsetof(struct disk_tables, strings), "bytes of strings", 1, 0);
  if (tables->strings[0] || tables->strings[size - 1])
    return broken(reader, head->strings.offset, "first and last byte of the strings", 0,
                  (uint8_t)(tables->strings[0] | tables->strings[size - 1]));
  TRY(table(reader, "dependencies", &head->dependencies, sizeof *tables->dependencies, &tables->dependencies,
            &tables->dependency_count));
  TRY(table(reader, "imports", &head->imports, sizeof *tables->imports, &tables->imports, &tables->import_count));
  TRY(table(reader, "sets of sites", &head->site_sets, sizeof *tables->site_sets, &tables->site_sets,
            &tables->set_count));
  TRY(table(reader, "imports of sites", &head->site_imports, sizeof *tables->site_imports, &tables->site_imports,
            &tables->site_import_count));
  TRY(table(reader, "residual relocations", &head->residuals, sizeof *tables->residuals, &tables->residuals,
            &tables->residual_count));
  TRY(table(reader, "libraries of the host", &head->libraries, sizeof *tables->libraries, &tables->libraries,
            &tables->library_count));
  TRY(table(reader, "targets", &head->targets, sizeof *tables->targets, &tables->targets, &tables->target_count));
  TRY(table(reader, "clones", &head->clones, sizeof *tables->clones, &tables->clones, &tables->clone_count));
  TRY(table(reader, "bodies of clones", &head->bodies, sizeof *tables->bodies, &tables->bodies,
            &tables->body_count));
  TRY(table(reader, "sets of clones' sites", &head->clone_sets, sizeof *tables->clone_sets, &tables->clone_sets,
            &tables->clone_set_count));
  TRY(table(reader, "clones of sites", &head->site_clones, sizeof *tables->site_clones, &tables->site_clones,
            &tables->site_clone_count));
  TRY(table(reader, "captured sets", &head->captured_sets, sizeof *tables->captured_sets, &tables->captured_sets,
            &tables->captured_set_count));
  TRY(table(reader, "details of captured sets", &head->captured_details, sizeof *tables->captured_details,
            &tables->captured_details, &tables->captured_detail_count));
  TRY(table(reader, "roots", &head->roots, sizeof *tables->roots, &tables->roots, &tables->root_count));
  if (tables->set_count != (uint64_t)tables->dependency_count + 2)
    return broken(reader, offsetof(struct disk_tables, site_sets), "number of sets of sites",
                  tables->dependency_count + 2ull, tables->set_count);
  return PKGIMG_OK;
}

static enum pkgimg_status names_check(const struct reader *reader, const struct tables *tables)
{
  TRY(string_check(reader, tables, &tables->head->name, tables->head->name));
  TRY(string_check(reader, tables, &tables->head->cpu_target, tables->head->cpu_target));
  for (uint32_t i = 0; i < tables->dependency_count; i++)
    TRY(string_check(reader, tables, &tables->dependencies[i], tables->dependencies[i].name));
  for (uint32_t i = 0; i < tables->library_count; i++)
    TRY(string_check(reader, tables, &tables->libraries[i], tables->libraries[i]));
  for (uint32_t i = 0; i < tables->import_count; i++) {
    TRY(string_check(reader, tables, &tables->imports[i], tables->imports[i].name));
    TRY(string_check(reader, tables, &tables->imports[i].version, tables->imports[i].version));
  }
  return PKGIMG_OK;
}

static enum pkgimg_status set_check(const struct reader *reader, const struct tables *tables,
                                    const struct disk_site_set *set)
{
  const void *bytes;
  TRY(reader_array(reader, "bitmap of sites", set->offset, set->size, 1, 1, &bytes));
  if (set->count > tables->head->words)
    return broken(reader, set->offset, "number of sites", tables->head->words, set->count);
  return PKGIMG_OK;
}

static enum pkgimg_status sets_check(const struct reader *reader, const struct tables *tables)
{
  for (uint32_t i = 0; i < tables->set_count; i++)
    TRY(set_check(reader, tables, &tables->site_sets[i]));
  uint32_t host = tables->site_sets[tables_host_set(tables)].count;
  if (tables->site_import_count != host)
    return broken(reader, offsetof(struct disk_tables, site_imports), "imports of sites", host,
                  tables->site_import_count);
  for (uint32_t i = 0; i < tables->site_import_count; i++)
    if (tables->site_imports[i] >= tables->import_count)
      return broken(reader, tables->head->site_imports.offset + 4ull * i, "number of imports that a site needs",
                    tables->site_imports[i] + 1ull, tables->import_count);
  return PKGIMG_OK;
}

// The indices of clones in other images are checked when these are known.
static enum pkgimg_status clone_sets_check(const struct reader *reader, const struct tables *tables)
{
  uint64_t sites = 0;
  if (tables->clone_set_count != 0 && tables->clone_set_count != (uint64_t)tables->dependency_count + 1)
    return broken(reader, offsetof(struct disk_tables, clone_sets), "number of sets of clones' sites",
                  tables->dependency_count + 1ull, tables->clone_set_count);
  for (uint32_t i = 0; i < tables->clone_set_count; i++) {
    TRY(set_check(reader, tables, &tables->clone_sets[i]));
    sites += tables->clone_sets[i].count;
  }
  if (sites != tables->site_clone_count)
    return broken(reader, offsetof(struct disk_tables, site_clones), "clones of sites", sites,
                  tables->site_clone_count);
  return PKGIMG_OK;
}

static enum pkgimg_status clone_check(const struct reader *reader, const struct disk_geometry *geometry,
                                      const struct tables *tables, uint32_t index)
{
  const struct disk_clone *clone = &tables->clones[index];
  const struct disk_area *code = &geometry->areas[AREA_X];
  uint64_t at = (uint64_t)((const uint8_t *)clone - tables->bytes.data);
  uint64_t allowed = tables->target_count >= 64 ? ~0ull : (1ull << tables->target_count) - 1;
  unsigned count = (unsigned)__builtin_popcountll(clone->bodies);
  if (clone->bodies & ~allowed || !(clone->bodies & 1))
    return broken(reader, at + 8, "bodies of a clone", allowed, clone->bodies);
  if (!range_within(clone->first, count, tables->body_count))
    return broken(reader, at + 4, "number of bodies that a clone needs", clone->first + (uint64_t)count,
                  tables->body_count);
  if (clone->symbol >= tables->head->symbols.count)
    return broken(reader, at, "number of symbols that a clone needs", clone->symbol + 1ull,
                  tables->head->symbols.count);
  if (index && clone->symbol <= clone[-1].symbol)
    return broken(reader, at, "symbol of a clone (ascending)", clone[-1].symbol + 1ull, clone->symbol);
  for (unsigned i = 0; i < count; i++) {
    uint64_t body = tables->bodies[clone->first + i];
    if (body < code->address || body - code->address >= code->memory_size)
      return broken(reader, tables->head->bodies.offset + 4ull * (clone->first + i), "address of a body",
                    code->address, body);
  }
  return PKGIMG_OK;
}

static enum pkgimg_status clones_check(const struct reader *reader, const struct disk_geometry *geometry,
                                       const struct tables *tables)
{
  if (tables->target_count > FORMAT_MAX_TARGETS)
    return broken(reader, offsetof(struct disk_tables, targets), "number of targets", FORMAT_MAX_TARGETS,
                  tables->target_count);
  for (uint32_t i = 0; i < tables->target_count; i++)
    TRY(string_check(reader, tables, &tables->targets[i], tables->targets[i].name));
  for (uint32_t i = 0; i < tables->clone_count; i++)
    TRY(clone_check(reader, geometry, tables, i));
  return clone_sets_check(reader, tables);
}

bool address_is_inside(const struct disk_geometry *geometry, uint64_t heap_size, uint64_t address)
{
  for (unsigned i = 0; i < AREA_COUNT; i++)
    if (address >= geometry->areas[i].address &&
        address - geometry->areas[i].address <= geometry->areas[i].memory_size)
      return true;
  return address >= FORMAT_H_START && address - FORMAT_H_START <= heap_size;
}

const struct disk_clone *tables_find_clone(const struct tables *tables, uint32_t symbol)
{
  uint32_t low = 0, high = tables->clone_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (tables->clones[middle].symbol < symbol)
      low = middle + 1;
    else
      high = middle;
  }
  return low < tables->clone_count && tables->clones[low].symbol == symbol ? &tables->clones[low] : NULL;
}

static enum pkgimg_status residuals_check(const struct reader *reader, const struct tables *tables)
{
  uint32_t host = tables_host_set(tables);
  for (uint32_t i = 0; i < tables->residual_count; i++) {
    const struct disk_residual *residual = &tables->residuals[i];
    uint64_t at = (uint64_t)((const uint8_t *)residual - tables->bytes.data);
    if (residual->set > host)
      return broken(reader, at + 12, "target of a residual relocation", host, residual->set);
    if (residual->set == host && residual->import >= tables->import_count)
      return broken(reader, at + 16, "number of imports that a residual relocation needs", residual->import + 1ull,
                    tables->import_count);
  }
  return PKGIMG_OK;
}

enum pkgimg_status region_check(const struct reader *reader, const struct disk_geometry *geometry, const char *what,
                                uint64_t place, const struct disk_region *region, enum area area, uint64_t size)
{
  uint64_t bytes;
  uint64_t start = geometry->areas[area].address;
  if (region->count == 0)
    return PKGIMG_OK;
  if (__builtin_mul_overflow(region->count, size, &bytes) || region->address < start ||
      !range_within(region->address - start, bytes, geometry->areas[area].file_size))
    return broken(reader, place, what, geometry->areas[area].file_size, region->count);
  if (region->address % (size < 8 ? 1 : 8))
    return broken(reader, place, what, 0, region->address % 8);
  return PKGIMG_OK;
}

static enum pkgimg_status regions_check(const struct reader *reader, const struct disk_geometry *geometry,
                                        const struct disk_tables *head)
{
  TRY(region_check(reader, geometry, "symbols", offsetof(struct disk_tables, symbols), &head->symbols, AREA_R,
                   sizeof(Elf64_Sym)));
  TRY(region_check(reader, geometry, "symbol strings", offsetof(struct disk_tables, symbol_strings),
                   &head->symbol_strings, AREA_R, 1));
  TRY(region_check(reader, geometry, "symbol hash table", offsetof(struct disk_tables, symbol_hash),
                   &head->symbol_hash, AREA_R, 1));
  TRY(region_check(reader, geometry, "unwind table", offsetof(struct disk_tables, unwind), &head->unwind, AREA_R,
                   1));
  TRY(region_check(reader, geometry, "constructors", offsetof(struct disk_tables, init_array), &head->init_array,
                   AREA_L, 8));
  TRY(region_check(reader, geometry, "destructors", offsetof(struct disk_tables, fini_array), &head->fini_array,
                   AREA_L, 8));
  TRY(region_check(reader, geometry, "thread-local template", offsetof(struct disk_tables, thread_local),
                   &head->thread_local, AREA_L, 1));
  const struct disk_area *code = &geometry->areas[AREA_X];
  uint64_t init = head->init_function;
  if (init && (init < code->address || init - code->address >= code->memory_size))
    return broken(reader, offsetof(struct disk_tables, init_function), "initialisation function", code->address,
                  init);
  const struct disk_area *constants = &geometry->areas[AREA_L];
  if (head->handle &&
      (head->handle < constants->address || head->handle - constants->address >= constants->file_size))
    return broken(reader, offsetof(struct disk_tables, handle), "address of __dso_handle", constants->address,
                  head->handle);
  uint64_t align = head->thread_local_align;
  if (head->thread_local.count > head->thread_local_size || head->thread_local_size > FORMAT_AREA_LIMIT)
    return broken(reader, offsetof(struct disk_tables, thread_local_size), "size of a thread-local block",
                  head->thread_local.count, head->thread_local_size);
  if (align > FORMAT_PAGE || (head->thread_local_size && (align == 0 || (align & (align - 1)))))
    return broken(reader, offsetof(struct disk_tables, thread_local_align), "alignment of a thread-local block",
                  FORMAT_PAGE, align);
  return PKGIMG_OK;
}

static enum pkgimg_status flags_check(const struct reader *reader, const struct tables *tables)
{
  uint32_t flags = tables->head->flags;
  uint32_t known = FORMAT_SYSIMAGE | FORMAT_CAPTURED;
  if (flags & ~known)
    return broken(reader, offsetof(struct disk_tables, flags), "flags", flags & known, flags);
  if (flags & FORMAT_SYSIMAGE && tables->dependency_count)
    return broken(reader, offsetof(struct disk_tables, dependencies), "dependencies of a system image", 0,
                  tables->dependency_count);
  return PKGIMG_OK;
}

static enum pkgimg_status types_check(const struct reader *reader, const struct disk_geometry *geometry,
                                      struct tables *tables)
{
  const struct disk_table *types = &tables->head->types;
  const void *bytes;
  TRY(reader_array(reader, "types", types->offset, types->count, 1, 8, &bytes));
  struct reader block = {.file = reader->file,
                         .origin = reader->origin + types->offset,
                         .bytes = {bytes, types->count},
                         .error = reader->error};
  return types_read(&block, geometry, &tables->types);
}

enum pkgimg_status tables_read(const struct reader *reader, const struct disk_geometry *geometry,
                               struct tables *tables)
{
  const void *head;
  TRY(reader_array(reader, "tables", 0, 1, sizeof *tables->head, 8, &head));
  *tables = (struct tables){.bytes = reader->bytes, .head = head};
  TRY(tables_identity(reader, geometry, head));
  uint64_t words = (geometry->areas[AREA_L].file_size + geometry->areas[AREA_W].file_size) / 8;
  if (tables->head->words != words)
    return broken(reader, offsetof(struct disk_tables, words), "words that may be relocated", words,
                  tables->head->words);
  TRY(tables_locate(reader, tables));
  TRY(flags_check(reader, tables));
  TRY(names_check(reader, tables));
  TRY(sets_check(reader, tables));
  TRY(residuals_check(reader, tables));
  TRY(clones_check(reader, geometry, tables));
  TRY(accesses_locate(reader, geometry, head));
  TRY(captured_check(reader, geometry, tables));
  TRY(regions_check(reader, geometry, head));
  return tables->head->types.count ? types_check(reader, geometry, tables) : PKGIMG_OK;
}

enum pkgimg_status closure_read(const struct reader *reader, const struct tables *tables, struct closure *closure)
{
  struct disk_closure head;
  const void *entries;
  TRY(reader_copy(reader, "closure", 0, &head, sizeof head));
  TRY(magic_check(reader, "start of the closure", head.magic, FORMAT_CLOSURE_MAGIC));
  TRY(reader_array(reader, "closure", sizeof head, head.count, sizeof *closure->entries, 8, &entries));
  TRY(hash_check(reader, "hash of the closure", offsetof(struct disk_closure, hash), head.hash,
                 hash_behind(reader->bytes, FORMAT_CLOSURE_HASHED)));
  if (tables->head->flags & FORMAT_SYSIMAGE && head.count)
    return broken(reader, offsetof(struct disk_closure, count), "members of a system image's closure", 0,
                  head.count);
  *closure = (struct closure){.entries = entries, .count = (uint32_t)head.count};
  for (uint32_t i = 0; i < closure->count; i++) {
    uint64_t place = sizeof head + i * sizeof *closure->entries;
    TRY(geometry_check(reader, place, &closure->entries[i].geometry));
    if (closure->entries[i].name >= tables->head->strings.count)
      return broken(reader, place + sizeof(struct disk_geometry), "bytes of strings",
                    closure->entries[i].name + 1ull, tables->head->strings.count);
  }
  return PKGIMG_OK;
}
