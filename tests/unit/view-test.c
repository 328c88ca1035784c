// SPDX-License-Identifier: MIT
//
// format: what the writer writes, the views read back; the bytes are pinned by a hash; and a file of which any
// bit is different, or that ends anywhere, is refused.
#include "base/hash.h"
#include "format/sites.h"
#include "format/view.h"
#include "format/writer.h"
#include "tests/unit/check.h"
#include "tests/unit/world.h"

CHECK_MAIN_FILE

static struct pkgimg_error error;

// ---- a linked file, made by hand: no compiler or linker decides its bytes

enum {
  CODE = 0x1000,
  ACCESS = 2,    // offset in the code
  ACCESSED = 5,  // a word
  NOTE = 0x200,
  SYMBOLS = 0x400,
  HASH = 0x480,
  STRINGS = 0x4c0,
  TABLES = 0x3040,
  NAMES = 0x3048,
  SECTIONS = 0x30c0,
  SIZE = SECTIONS + 6 * sizeof(Elf64_Shdr),
};
static _Alignas(8) uint8_t linked_bytes[SIZE];
static const char symbol_strings[] = "\0exported\0";
static const char section_names[] = "\0.dynsym\0.gnu.hash\0.dynstr\0.pkgimg.tables\0.shstrtab";

static void segment(unsigned index, uint32_t type, uint32_t flags, uint64_t offset, uint64_t address,
                    uint64_t file_size, uint64_t memory_size)
{
  Elf64_Phdr header = {.p_type = type,
                       .p_flags = flags,
                       .p_offset = offset,
                       .p_vaddr = address,
                       .p_paddr = address,
                       .p_filesz = file_size,
                       .p_memsz = memory_size,
                       .p_align = type == PT_LOAD ? FORMAT_PAGE : 4};
  memcpy(linked_bytes + sizeof(Elf64_Ehdr) + index * sizeof header, &header, sizeof header);
}

static void section(unsigned index, uint32_t name, uint32_t type, uint64_t flags, uint64_t offset, uint64_t size)
{
  Elf64_Shdr header = {.sh_name = name,
                       .sh_type = type,
                       .sh_flags = flags,
                       .sh_addr = flags ? offset : 0,
                       .sh_offset = offset,
                       .sh_size = size};
  memcpy(linked_bytes + SECTIONS + index * sizeof header, &header, sizeof header);
}

static void make_headers(void)
{
  Elf64_Ehdr header = {.e_type = ET_DYN,
                       .e_machine = EM_X86_64,
                       .e_version = EV_CURRENT,
                       .e_phoff = sizeof header,
                       .e_shoff = SECTIONS,
                       .e_ehsize = sizeof header,
                       .e_phentsize = sizeof(Elf64_Phdr),
                       .e_phnum = 5,
                       .e_shentsize = sizeof(Elf64_Shdr),
                       .e_shnum = 6,
                       .e_shstrndx = 5};
  memcpy(header.e_ident, "\177ELF\2\1\1", 7);
  memcpy(linked_bytes, &header, sizeof header);
  segment(0, PT_LOAD, PF_R, 0, 0, 0x500, 0x500);
  segment(1, PT_LOAD, PF_R | PF_X, 0x1000, CODE, 0x20, 0x20);
  segment(2, PT_LOAD, PF_R | PF_W, 0x2000, FORMAT_L_START, 0x80, 0x1000);
  segment(3, PT_LOAD, PF_R | PF_W, 0x3000, FORMAT_W_START, 0x40, 0x2000);
  segment(4, PT_NOTE, PF_R, NOTE, NOTE, sizeof(struct disk_note) + 32, sizeof(struct disk_note) + 32);
}

static void make_contents(void)
{
  struct disk_note note = {
      .name_size = 12, .header_size = sizeof note.header, .type = FORMAT_NOTE_TYPE, .name = FORMAT_NOTE_NAME};
  static const uint32_t build_id_note[] = {4, 16, NT_GNU_BUILD_ID, 0x554e47};
  Elf64_Sym symbols[2] = {{0},
                          {.st_name = 1,
                           .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                           .st_shndx = 1,
                           .st_value = CODE,
                           .st_size = 16}};
  uint32_t hash[] = {1, 1, 1, 6, UINT32_MAX, UINT32_MAX, 1, gnu_hash("exported") | 1};
  memcpy(linked_bytes + NOTE, &note, sizeof note);
  memcpy(linked_bytes + NOTE + sizeof note, build_id_note, sizeof build_id_note);
  memcpy(linked_bytes + SYMBOLS, symbols, sizeof symbols);
  memcpy(linked_bytes + HASH, hash, sizeof hash);
  memcpy(linked_bytes + STRINGS, symbol_strings, sizeof symbol_strings);
  memcpy(linked_bytes + NAMES, section_names, sizeof section_names);
  for (int i = 0; i < 0x80; i++)
    linked_bytes[0x2000 + i] = (uint8_t)i;
  int32_t distance = (int32_t)(FORMAT_L_START + 8 * ACCESSED - (CODE + ACCESS + 4));
  memcpy(linked_bytes + CODE + ACCESS - 2, "\377\25", 2);  // call *distance(%rip)
  memcpy(linked_bytes + CODE + ACCESS, &distance, sizeof distance);
  section(1, 1, SHT_DYNSYM, SHF_ALLOC, SYMBOLS, sizeof symbols);
  section(2, 9, SHT_GNU_HASH, SHF_ALLOC, HASH, sizeof hash);
  section(3, 19, SHT_STRTAB, SHF_ALLOC, STRINGS, sizeof symbol_strings);
  section(4, 27, SHT_PROGBITS, 0, TABLES, 1);
  section(5, 42, SHT_STRTAB, 0, NAMES, sizeof section_names);
}

// ---- the writer's input

static const uint32_t self_sites[] = {0, 1, 2, 3, 9}, dependency_sites[] = {5}, host_sites[] = {16, 17, 23};
static const uint32_t site_imports[] = {1, 0, 1};
static const uint32_t accesses[] = {ACCESS};
static const struct writer_import imports[] = {{"strlen", "GLIBC_2.2.5", STT_FUNC, false},
                                               {"maybe", NULL, STT_NOTYPE, true}};
static const struct writer_dependency dependencies[] = {
    {"other", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}};
static const struct disk_residual residuals[] = {
    {.address = FORMAT_W_START + 0x21, .type = R_X86_64_64, .set = 1, .import = 3, .addend = 8}};

// ---- what was captured: two pages of H, and W with words that the linked file does not have

enum { HEAP_SIZE = 2 * FORMAT_PAGE, CAPTURED_DATA = 0x48 };
static _Alignas(8) uint8_t heap_bytes[HEAP_SIZE], captured_bytes_of_data[CAPTURED_DATA];
static const uint32_t captured_data[] = {18, 24}, captured_heap[] = {2, 700}, captured_host[] = {5, 6, 1023};
static const uint32_t captured_imports[] = {1, 0, 1};
static const struct writer_captured_set captured_sets[] = {
    {CAPTURED_IN_DATA, CAPTURED_HEAP, 0, {captured_data, 2}, NULL},
    {CAPTURED_IN_HEAP, CAPTURED_BASE, 1, {captured_heap, 2}, NULL},
    {CAPTURED_IN_HEAP, CAPTURED_HOST, 0, {captured_host, 3}, captured_imports}};
static const struct writer_root roots[] = {{"first", FORMAT_W_START + 8}, {"second", FORMAT_H_START + 16}};

static struct writer_capture capture(void)
{
  for (int i = 0; i < HEAP_SIZE; i++)
    heap_bytes[i] = (uint8_t)(i * 7);
  for (int i = 0; i < CAPTURED_DATA; i++)
    captured_bytes_of_data[i] = (uint8_t)(0x80 + i);
  return (struct writer_capture){.constructed = true,
                                 .data = {captured_bytes_of_data, CAPTURED_DATA},
                                 .heap = {heap_bytes, HEAP_SIZE},
                                 .sets = captured_sets,
                                 .set_count = 3,
                                 .roots = roots,
                                 .root_count = 2,
                                 .exits = {FORMAT_H_START + 64, 3}};
}

static bool write_image(const struct writer_capture *captured, struct buffer *image)
{
  struct linked linked;
  struct reader reader = {.file = "by hand", .bytes = {linked_bytes, SIZE}, .error = &error};
  if (!CHECK_OK(linked_read(&reader, &linked), &error))
    return false;
  struct writer_closure_entry closure = {.name = "other"};
  writer_areas(&linked, closure.geometry.areas);
  memcpy(closure.geometry.build_id, dependencies[0].build_id, 16);
  closure.geometry.tables_offset = TABLES;
  closure.geometry.tables_size = 4096;
  struct writer_sites sets[] = {{self_sites, 5}, {dependency_sites, 1}, {host_sites, 3}};
  struct writer_input input = {.name = "by-hand",
                               .linked = &linked,
                               .dependencies = dependencies,
                               .dependency_count = 1,
                               .imports = imports,
                               .import_count = 2,
                               .sets = sets,
                               .site_imports = site_imports,
                               .residuals = residuals,
                               .residual_count = 1,
                               .closure = &closure,
                               .closure_count = 1,
                               .init_function = CODE,
                               .cpu_target = "x86-64-v2,+avx",
                               .accesses = {accesses, 1},
                               .capture = captured};
  return CHECK_OK(writer_run(&input, (struct span){linked_bytes, SIZE}, image, &error), &error);
}

// ---- and back

static void sites_are(const struct tables *tables, uint32_t set, const uint32_t *expected, size_t count)
{
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  CHECK(tables->site_sets[set].count == count);
  if (CHECK(sites_begin(&walk, tables_sites(tables, set), tables->head->words)))
    CHECK(sites_next(&walk, ids) == count && memcmp(ids, expected, 4 * count) == 0);
}

static void tables_are(const struct tables *tables, bool captured)
{
  CHECK(strcmp(tables->strings + tables->head->name, "by-hand") == 0);
  CHECK(tables->head->words == (captured ? 25 : 24) && tables->head->flags == (captured ? FORMAT_CAPTURED : 0));
  CHECK(tables->set_count == 3 && tables->dependency_count == 1 && tables->import_count == 2);
  sites_are(tables, 0, self_sites, 5);
  sites_are(tables, 1, dependency_sites, 1);
  sites_are(tables, 2, host_sites, 3);
  CHECK(tables->site_import_count == 3 && memcmp(tables->site_imports, site_imports, sizeof site_imports) == 0);
  CHECK(tables->residual_count == 1 && memcmp(tables->residuals, residuals, sizeof residuals) == 0);
  const struct disk_import *import = &tables->imports[0];
  CHECK(strcmp(tables->strings + import->name, "strlen") == 0 && import->hash == gnu_hash("strlen") &&
        !import->weak);
  CHECK(strcmp(tables->strings + import->version, "GLIBC_2.2.5") == 0 && import->type == STT_FUNC);
  CHECK(tables->imports[1].weak && tables->strings[tables->imports[1].version] == 0);
  CHECK(memcmp(tables->dependencies[0].build_id, dependencies[0].build_id, 16) == 0);
  CHECK(tables->head->init_function == CODE);
  CHECK(tables->head->accesses.count == 1);
  CHECK(strcmp(tables->strings + tables->head->cpu_target, "x86-64-v2,+avx") == 0);
}

static void nothing_captured(const struct image_file *file)
{
  const struct disk_tables *head = file->tables.head;
  CHECK(head->heap.size == 0 && head->heap.file_offset == 0 && head->exits.count == 0 && !file->heap.bytes.data);
  CHECK(file->tables.captured_set_count == 0 && file->tables.root_count == 0);
}

static void captured_set_is(const struct tables *tables, uint32_t index)
{
  const struct writer_captured_set *expected = &captured_sets[index];
  const struct disk_captured_set *set = &tables->captured_sets[index];
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  CHECK(set->universe == expected->universe && set->kind == expected->kind && set->image == expected->image);
  CHECK(set->count == expected->sites.count &&
        captured_universe(tables, set) == (set->universe == CAPTURED_IN_HEAP ? HEAP_SIZE / 8 : 25));
  if (CHECK(sites_begin(&walk, captured_bytes(tables, set), captured_universe(tables, set))))
    CHECK(sites_next(&walk, ids) == set->count && memcmp(ids, expected->sites.ids, 4ull * set->count) == 0);
  if (captured_has_details(set))
    CHECK(memcmp(tables->captured_details + set->first, expected->details, 4ull * set->count) == 0);
}

static void capture_is(const struct image_file *file)
{
  const struct tables *tables = &file->tables;
  const struct disk_heap *heap = &tables->head->heap;
  CHECK(heap->size == HEAP_SIZE && heap->stored_size == HEAP_SIZE && heap->compression == HEAP_PLAIN);
  CHECK(heap->file_offset % FORMAT_PAGE == 0 && heap->dirty_pages == 2);
  CHECK(file->heap.bytes.size == HEAP_SIZE && memcmp(file->heap.bytes.data, heap_bytes, HEAP_SIZE) == 0);
  struct span data = image_file_bytes(file, FORMAT_W_START, CAPTURED_DATA);
  CHECK(data.data && memcmp(data.data, captured_bytes_of_data, CAPTURED_DATA) == 0);
  if (CHECK(tables->captured_set_count == 3))
    for (uint32_t i = 0; i < 3; i++)
      captured_set_is(tables, i);
  if (CHECK(tables->root_count == 2))
    for (uint32_t i = 0; i < 2; i++)
      CHECK(strcmp(tables->strings + tables->roots[i].name, roots[i].name) == 0 &&
            tables->roots[i].address == roots[i].address);
  CHECK(tables->head->exits.address == FORMAT_H_START + 64 && tables->head->exits.count == 3);
}

static void read_back(const struct buffer *image, bool captured)
{
  struct reader reader = {.file = "by-hand.so", .bytes = {image->data, image->size}, .error = &error};
  struct image_file file;
  if (!CHECK_OK(image_file_read(&reader, &file), &error))
    return;
  tables_are(&file.tables, captured);
  (captured ? capture_is : nothing_captured)(&file);
  CHECK(file.closure.count == 1 && strcmp(file.tables.strings + file.closure.entries[0].name, "other") == 0);
  CHECK(symbols_find(&file.symbols, "exported", gnu_hash("exported"), 0) == 1);
  CHECK(site_address(&file.header.geometry, 15) == FORMAT_L_START + 120);
  CHECK(site_address(&file.header.geometry, 16) == FORMAT_W_START);
  struct span bytes = image_file_bytes(&file, FORMAT_L_START + 8, 8);
  CHECK(bytes.size == 8 && bytes.data[0] == 8);
  CHECK(!image_file_bytes(&file, FORMAT_L_START + 0x80, 1).data);
  CHECK(!image_file_bytes(&file, FORMAT_W_START - 1, 2).data && !image_file_bytes(&file, UINT64_MAX, 8).data);
  uint8_t computed[16];
  CHECK_OK(image_file_identity(&reader, NOTE, file.header.geometry.tables_offset, computed), &error);
  CHECK(memcmp(computed, file.header.geometry.build_id, 16) == 0);
  CHECK(memcmp(image->data + NOTE + FORMAT_GNU_NOTE_ID, computed, 16) == 0);
}

// A change of these bytes is a change of the format, and wants another FORMAT_VERSION.
static void golden(const struct buffer *image, uint64_t expected)
{
  uint64_t found = hash64(image->data, image->size);
  if (!CHECK(found == expected))
    fprintf(stderr, "  the image's hash is 0x%016lx\n", (unsigned long)found);
}

// ---- damage

static enum pkgimg_status read_bytes(uint8_t *bytes, size_t size)
{
  struct reader reader = {.file = "damaged.so", .bytes = {bytes, size}, .error = &error};
  struct image_file file;
  return image_file_read(&reader, &file);
}

// In memory of exactly this size: a sanitizer sees any read behind it.
static void truncated(const uint8_t *bytes, size_t size, size_t step)
{
  uint64_t accepted = 0;
  for (size_t cut = 0; cut < size; cut += cut < 0x1000 ? 7 : step) {
    uint8_t *copy = malloc(cut + 1);
    memcpy(copy, bytes, cut);
    accepted += read_bytes(copy, cut) == PKGIMG_OK;
    free(copy);
  }
  CHECK(accepted == 0);
}

static void flipped(const uint8_t *bytes, size_t size, size_t step)
{
  uint64_t accepted = 0;
  uint8_t *copy = malloc(size);
  memcpy(copy, bytes, size);
  for (size_t at = 0; at < size; at += step)
    for (int bit = 0; bit < 8; bit += 1 + (int)(at % 3)) {
      copy[at] ^= (uint8_t)(1 << bit);
      enum pkgimg_status status = read_bytes(copy, size);
      accepted += status == PKGIMG_OK || error.status != status || !error.text[0];
      copy[at] ^= (uint8_t)(1 << bit);
    }
  CHECK(accepted == 0 && read_bytes(copy, size) == PKGIMG_OK);
  free(copy);
}

// The same through the reader of the first page, which a load uses.
static void first_page(const uint8_t *bytes)
{
  _Alignas(8) uint8_t page[FORMAT_HEAD];
  struct disk_header header;
  for (size_t size = 0; size < FORMAT_HEAD; size += 5) {
    struct reader reader = {.file = "page", .bytes = {page, size}, .error = &error};
    memcpy(page, bytes, size);
    bool whole = size >= NOTE + sizeof(struct disk_note);
    CHECK((header_read(&reader, &header) == PKGIMG_OK) == whole);
  }
}

static void real_image(const char *name)
{
  size_t size;
  uint8_t *bytes = read_all(image_path(name), &size);
  CHECK_OK(read_bytes(bytes, size), &error);
  truncated(bytes, size, 997);
  flipped(bytes, size, size / 200);
  free(bytes);
}

static void by_hand(const struct writer_capture *captured, uint64_t expected)
{
  struct buffer image = {0}, again = {0};
  if (write_image(captured, &image) && write_image(captured, &again)) {
    CHECK(image.size == again.size && memcmp(image.data, again.data, image.size) == 0);
    read_back(&image, captured);
    golden(&image, expected);
    truncated(image.data, image.size, 13);
    flipped(image.data, image.size, 11);
    first_page(image.data);
  }
  buffer_deinit(&image);
  buffer_deinit(&again);
}

int main(void)
{
  struct writer_capture captured = capture();
  make_headers();
  make_contents();
  by_hand(NULL, 0x4b68bf0381625512ull);
  by_hand(&captured, 0xf5e362c0c5800806ull);
  real_image("leaf");
  real_image("tl-calls");
  real_image("top");
  real_image("captured-two");
  return check_verdict();
}
