// SPDX-License-Identifier: MIT
#include "format/writer.h"

#include "base/hash.h"
#include "format/packed.h"
#include "format/view.h"

#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

void writer_areas(const struct linked *linked, struct disk_area areas[AREA_COUNT])
{
  uint64_t end = 0;
  for (unsigned i = 0; i < AREA_COUNT; i++) {
    const Elf64_Phdr *segment = linked->segments[i];
    bool words = i == AREA_L || i == AREA_W;
    uint64_t next = round_up(end, FORMAT_PAGE);
    areas[i] = (struct disk_area){.address = i == AREA_L   ? FORMAT_L_START
                                             : i == AREA_W ? FORMAT_W_START
                                                           : next,
                                  .file_offset = next};
    if (segment) {
      areas[i].file_offset = segment->p_offset;
      areas[i].file_size = words ? round_up(segment->p_filesz, 8) : segment->p_filesz;
      areas[i].memory_size = words ? round_up(segment->p_memsz, 8) : segment->p_filesz;
    }
    end = areas[i].file_offset + areas[i].file_size;
  }
}

// ---- the tables under construction

struct writer {
  const struct writer_input *input;
  struct disk_tables head;
  struct buffer strings;
  struct buffer body;     // head and arrays; strings are put behind them
  struct buffer details;  // of captured sets
  struct buffer *image;
  struct disk_header header;
  struct pkgimg_error *error;
};

static enum pkgimg_status add_string(struct writer *writer, const char *text, uint32_t *offset)
{
  *offset = 0;
  if (!text || !*text)
    return PKGIMG_OK;
  *offset = (uint32_t)writer->strings.size;
  return buffer_append(&writer->strings, text, strlen(text) + 1, writer->error);
}

static enum pkgimg_status begin_table(struct writer *writer, struct disk_table *table, size_t count)
{
  TRY(buffer_align(&writer->body, 8, writer->error));
  *table = (struct disk_table){.offset = (uint32_t)writer->body.size, .count = (uint32_t)count};
  return PKGIMG_OK;
}

static enum pkgimg_status add_dependencies(struct writer *writer)
{
  const struct writer_input *input = writer->input;
  TRY(begin_table(writer, &writer->head.dependencies, input->dependency_count));
  for (size_t i = 0; i < input->dependency_count; i++) {
    struct disk_dependency entry = {0};
    TRY(add_string(writer, input->dependencies[i].name, &entry.name));
    memcpy(entry.build_id, input->dependencies[i].build_id, sizeof entry.build_id);
    TRY(buffer_append(&writer->body, &entry, sizeof entry, writer->error));
  }
  return PKGIMG_OK;
}

static enum pkgimg_status add_imports(struct writer *writer)
{
  const struct writer_input *input = writer->input;
  TRY(begin_table(writer, &writer->head.imports, input->import_count));
  for (size_t i = 0; i < input->import_count; i++) {
    const struct writer_import *import = &input->imports[i];
    struct disk_import entry = {.hash = gnu_hash(import->name), .type = import->type, .weak = import->weak};
    TRY(add_string(writer, import->name, &entry.name));
    TRY(add_string(writer, import->version, &entry.version));
    TRY(buffer_append(&writer->body, &entry, sizeof entry, writer->error));
  }
  return PKGIMG_OK;
}

static enum pkgimg_status add_bitmap(struct writer *writer, const struct writer_sites *sites, uint32_t *size)
{
  roaring_bitmap_t *bitmap = roaring_bitmap_of_ptr(sites->count, sites->ids);
  if (!bitmap)
    return fail_memory(writer->error, sites->count * sizeof *sites->ids);
  roaring_bitmap_run_optimize(bitmap);
  *size = (uint32_t)roaring_bitmap_portable_size_in_bytes(bitmap);
  size_t at = writer->body.size;
  enum pkgimg_status status = buffer_append(&writer->body, NULL, *size, writer->error);
  if (status == PKGIMG_OK)
    roaring_bitmap_portable_serialize(bitmap, (char *)writer->body.data + at);
  roaring_bitmap_free(bitmap);
  return status;
}

static enum pkgimg_status add_sets(struct writer *writer, struct disk_table *table, const struct writer_sites *sets,
                                   size_t count)
{
  TRY(begin_table(writer, table, count));
  size_t at = writer->body.size;
  TRY(buffer_append(&writer->body, NULL, count * sizeof(struct disk_site_set), writer->error));
  for (size_t i = 0; i < count; i++) {
    TRY(buffer_align(&writer->body, 8, writer->error));
    struct disk_site_set entry = {.offset = (uint32_t)writer->body.size, .count = (uint32_t)sets[i].count};
    TRY(add_bitmap(writer, &sets[i], &entry.size));
    memcpy(writer->body.data + at + i * sizeof entry, &entry, sizeof entry);
  }
  return PKGIMG_OK;
}

static enum pkgimg_status add_array(struct writer *writer, struct disk_table *table, const void *items, size_t count,
                                    size_t size)
{
  TRY(begin_table(writer, table, count));
  return buffer_append(&writer->body, items, count * size, writer->error);
}

static enum pkgimg_status add_site_sets(struct writer *writer)
{
  const struct writer_input *input = writer->input;
  size_t count = input->dependency_count + 2;
  TRY(add_sets(writer, &writer->head.site_sets, input->sets, count));
  return add_array(writer, &writer->head.site_imports, input->site_imports, input->sets[count - 1].count,
                   sizeof *input->site_imports);
}

static enum pkgimg_status add_targets(struct writer *writer)
{
  const struct writer_input *input = writer->input;
  TRY(begin_table(writer, &writer->head.targets, input->target_count));
  for (size_t i = 0; i < input->target_count; i++) {
    struct disk_target entry = {0};
    TRY(add_string(writer, input->targets[i].name, &entry.name));
    memcpy(entry.features, input->targets[i].features, sizeof entry.features);
    TRY(buffer_append(&writer->body, &entry, sizeof entry, writer->error));
  }
  return PKGIMG_OK;
}

static enum pkgimg_status add_clones(struct writer *writer)
{
  const struct writer_input *input = writer->input;
  size_t sets = input->clone_sets ? input->dependency_count + 1 : 0, sites = 0;
  for (size_t i = 0; i < sets; i++)
    sites += input->clone_sets[i].count;
  TRY(add_targets(writer));
  TRY(add_array(writer, &writer->head.clones, input->clones, input->clone_count, sizeof *input->clones));
  TRY(add_array(writer, &writer->head.bodies, input->bodies, input->body_count, sizeof *input->bodies));
  TRY(add_sets(writer, &writer->head.clone_sets, input->clone_sets, sets));
  return add_array(writer, &writer->head.site_clones, input->site_clones, sites, sizeof *input->site_clones);
}

static enum pkgimg_status add_captured_set(struct writer *writer, const struct writer_captured_set *set, size_t at)
{
  TRY(buffer_align(&writer->body, 8, writer->error));
  struct disk_captured_set entry = {.offset = (uint32_t)writer->body.size,
                                    .count = (uint32_t)set->sites.count,
                                    .universe = (uint16_t)set->universe,
                                    .kind = (uint16_t)set->kind,
                                    .image = set->image};
  TRY(add_bitmap(writer, &set->sites, &entry.size));
  if (captured_has_details(&entry)) {
    entry.first = (uint32_t)(writer->details.size / sizeof *set->details);
    TRY(buffer_append(&writer->details, set->details, set->sites.count * sizeof *set->details, writer->error));
  }
  memcpy(writer->body.data + at, &entry, sizeof entry);
  return PKGIMG_OK;
}

static enum pkgimg_status add_roots(struct writer *writer, const struct writer_capture *capture)
{
  TRY(begin_table(writer, &writer->head.roots, capture->root_count));
  for (size_t i = 0; i < capture->root_count; i++) {
    struct disk_root entry = {.address = capture->roots[i].address};
    TRY(add_string(writer, capture->roots[i].name, &entry.name));
    TRY(buffer_append(&writer->body, &entry, sizeof entry, writer->error));
  }
  return PKGIMG_OK;
}

// How many pages of H hold a site of any set.
static enum pkgimg_status count_dirty_pages(struct writer *writer, const struct writer_capture *capture)
{
  const uint32_t page_words = FORMAT_PAGE / 8;
  uint8_t *dirty = calloc(capture->heap.size / FORMAT_PAGE + 1, 1);
  if (!dirty)
    return fail_memory(writer->error, capture->heap.size / FORMAT_PAGE);
  for (size_t i = 0; i < capture->set_count; i++)
    for (size_t j = 0; capture->sets[i].universe == CAPTURED_IN_HEAP && j < capture->sets[i].sites.count; j++)
      dirty[capture->sets[i].sites.ids[j] / page_words] = 1;
  for (uint64_t page = 0; page < capture->heap.size / FORMAT_PAGE; page++)
    writer->head.heap.dirty_pages += dirty[page];
  free(dirty);
  return PKGIMG_OK;
}

static enum pkgimg_status add_capture(struct writer *writer)
{
  static const struct writer_capture nothing = {0};
  const struct writer_capture *capture = writer->input->capture ? writer->input->capture : &nothing;
  TRY(begin_table(writer, &writer->head.captured_sets, capture->set_count));
  size_t at = writer->body.size;
  TRY(buffer_append(&writer->body, NULL, capture->set_count * sizeof(struct disk_captured_set), writer->error));
  for (size_t i = 0; i < capture->set_count; i++)
    TRY(add_captured_set(writer, &capture->sets[i], at + i * sizeof(struct disk_captured_set)));
  TRY(add_array(writer, &writer->head.captured_details, writer->details.data,
                writer->details.size / sizeof(uint32_t), sizeof(uint32_t)));
  writer->head.flags |= capture->constructed ? FORMAT_CAPTURED : 0;
  writer->head.heap.size = capture->heap.size;
  writer->head.heap.stored_size = capture->heap.size;
  writer->head.exits = capture->exits;
  TRY(count_dirty_pages(writer, capture));
  return add_roots(writer, capture);
}

static enum pkgimg_status add_residuals(struct writer *writer)
{
  const struct writer_input *input = writer->input;
  return add_array(writer, &writer->head.residuals, input->residuals, input->residual_count,
                   sizeof *input->residuals);
}

// DT_NEEDED names dependencies and libraries of the host alike.
static bool is_dependency(const struct writer_input *input, const char *file)
{
  for (size_t i = 0; i < input->dependency_count; i++) {
    size_t length = strlen(input->dependencies[i].name);
    if (strncmp(file, input->dependencies[i].name, length) == 0 && strcmp(file + length, ".so") == 0)
      return true;
  }
  return false;
}

static enum pkgimg_status add_libraries(struct writer *writer)
{
  const struct linked *linked = writer->input->linked;
  size_t position = 0;
  TRY(begin_table(writer, &writer->head.libraries, 0));
  for (const char *name; (name = linked_needed_next(linked, &position));) {
    uint32_t offset;
    if (is_dependency(writer->input, name))
      continue;
    TRY(add_string(writer, name, &offset));
    TRY(buffer_append(&writer->body, &offset, sizeof offset, writer->error));
    writer->head.libraries.count++;
  }
  return PKGIMG_OK;
}

static struct disk_region region(const struct linked_section *section, uint64_t element)
{
  return (struct disk_region){.address = section->address, .count = section->size / element};
}

static void set_regions(struct writer *writer)
{
  const struct linked *linked = writer->input->linked;
  struct disk_tables *head = &writer->head;
  head->symbols = region(&linked->symbols, sizeof(Elf64_Sym));
  head->symbol_strings = region(&linked->strings, 1);
  head->symbol_hash = region(&linked->hash, 1);
  head->unwind = region(&linked->unwind, 1);
  head->init_array = region(&linked->init_array, 8);
  head->fini_array = region(&linked->fini_array, 8);
  head->init_function = writer->input->init_function;
  if (linked->thread_local) {
    head->thread_local = (struct disk_region){linked->thread_local->p_vaddr, linked->thread_local->p_filesz};
    head->thread_local_size = linked->thread_local->p_memsz;
    head->thread_local_align = linked->thread_local->p_align ? linked->thread_local->p_align : 1;
  }
}

static enum pkgimg_status add_accesses(struct writer *writer)
{
  const struct writer_sites *accesses = &writer->input->accesses;
  struct disk_site_set *set = &writer->head.accesses;
  *set = (struct disk_site_set){.offset = (uint32_t)writer->body.size, .count = (uint32_t)accesses->count};
  return add_bitmap(writer, accesses, &set->size);
}

static enum pkgimg_status make_tables(struct writer *writer)
{
  memcpy(writer->head.magic, FORMAT_TABLES_MAGIC, sizeof writer->head.magic);
  TRY(buffer_append(&writer->strings, "", 1, writer->error));
  TRY(buffer_append(&writer->body, NULL, sizeof writer->head, writer->error));
  TRY(add_string(writer, writer->input->name, &writer->head.name));
  TRY(add_string(writer, writer->input->cpu_target, &writer->head.cpu_target));
  writer->head.flags = writer->input->sysimage ? FORMAT_SYSIMAGE : 0;
  TRY(add_dependencies(writer));
  TRY(add_imports(writer));
  TRY(add_site_sets(writer));
  TRY(add_residuals(writer));
  TRY(add_libraries(writer));
  TRY(add_clones(writer));
  TRY(add_capture(writer));
  TRY(add_accesses(writer));
  TRY(add_array(writer, &writer->head.types, writer->input->types.data, writer->input->types.size, 1));
  set_regions(writer);
  return PKGIMG_OK;
}

static enum pkgimg_status make_closure(struct writer *writer, struct buffer *closure)
{
  const struct writer_input *input = writer->input;
  struct disk_closure head = {.count = input->closure_count};
  memcpy(head.magic, FORMAT_CLOSURE_MAGIC, sizeof head.magic);
  TRY(buffer_append(closure, &head, sizeof head, writer->error));
  for (size_t i = 0; i < input->closure_count; i++) {
    struct disk_closure_entry entry = {.geometry = input->closure[i].geometry};
    TRY(add_string(writer, input->closure[i].name, &entry.name));
    TRY(buffer_append(closure, &entry, sizeof entry, writer->error));
  }
  head.hash = hash64(closure->data + FORMAT_CLOSURE_HASHED, closure->size - FORMAT_CLOSURE_HASHED);
  memcpy(closure->data, &head, sizeof head);
  return PKGIMG_OK;
}

// ---- the file

// Its place in the file is known only now.
static enum pkgimg_status add_heap(struct writer *writer)
{
  const struct writer_capture *capture = writer->input->capture;
  if (!capture || !capture->heap.size)
    return PKGIMG_OK;
  TRY(buffer_align(writer->image, FORMAT_PAGE, writer->error));
  writer->head.heap.file_offset = writer->image->size;
  if (!capture->compress)
    return buffer_append(writer->image, capture->heap.data, capture->heap.size, writer->error);
  TRY(pack(writer->input->name, capture->heap, writer->image, writer->error));
  writer->head.heap.compression = HEAP_ZSTD;
  writer->head.heap.stored_size = writer->image->size - writer->head.heap.file_offset;
  return PKGIMG_OK;
}

// Everything up to the end of W stays; tables and closure are put behind it, and what lld had
// there (sections for debuggers, section headers) follows.
static enum pkgimg_status splice(struct writer *writer, struct span words, const struct buffer *closure)
{
  const struct linked *linked = writer->input->linked;
  const struct disk_area *data = &writer->header.geometry.areas[AREA_W];
  uint64_t mapped = data->file_offset + data->file_size;
  uint64_t cut = linked->sections[linked->tables_section].sh_offset;
  struct buffer *image = writer->image;
  TRY(buffer_append(image, words.data, cut < mapped ? cut : mapped, writer->error));
  TRY(buffer_append(image, NULL, mapped - image->size, writer->error));
  if (writer->input->capture && writer->input->capture->data.size)
    memcpy(image->data + data->file_offset, writer->input->capture->data.data, writer->input->capture->data.size);
  TRY(buffer_align(image, 8, writer->error));
  writer->header.geometry.tables_offset = image->size;
  writer->header.geometry.tables_size = writer->body.size;
  TRY(buffer_append(image, writer->body.data, writer->body.size, writer->error));
  writer->header.closure_offset = image->size;
  writer->header.closure_size = closure->size;
  TRY(buffer_append(image, closure->data, closure->size, writer->error));
  TRY(add_heap(writer));
  // Keep the alignment that the linker gave to what follows.
  TRY(buffer_append(image, NULL, (cut - image->size) % 64, writer->error));
  return buffer_append(image, words.data + cut, words.size - cut, writer->error);
}

static void move_sections(struct writer *writer, uint64_t moved_from)
{
  const struct linked *linked = writer->input->linked;
  uint64_t shift = writer->image->size - linked->reader.bytes.size;
  Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)writer->image->data;
  header->e_shoff += shift;
  Elf64_Shdr *sections = (Elf64_Shdr *)(void *)(writer->image->data + header->e_shoff);
  for (unsigned i = 1; i < header->e_shnum; i++)
    if (!(sections[i].sh_flags & SHF_ALLOC) && sections[i].sh_offset >= moved_from)
      sections[i].sh_offset += shift;
  Elf64_Shdr *tables = &sections[linked->tables_section];
  tables->sh_offset = writer->header.geometry.tables_offset;
  tables->sh_size = writer->header.geometry.tables_size + writer->header.closure_size;
  tables->sh_flags = 0;
  tables->sh_addralign = 8;
}

static void fill_in(struct writer *writer)
{
  const struct disk_area *areas = writer->header.geometry.areas;
  uint8_t *image = writer->image->data;
  struct disk_tables *head = (struct disk_tables *)(void *)(image + writer->header.geometry.tables_offset);
  const Elf64_Sym *handle = linked_find(writer->input->linked, "__dso_handle");
  writer->head.handle = handle ? handle->st_value : 0;
  writer->head.geometry_hash = geometry_hash(&writer->header.geometry);
  writer->head.data_hash =
      data_hash(&writer->header.geometry, image + areas[AREA_L].file_offset, image + areas[AREA_W].file_offset);
  *head = writer->head;
  head->hash =
      hash64((uint8_t *)head + FORMAT_TABLES_HASHED, writer->header.geometry.tables_size - FORMAT_TABLES_HASHED);
}

static enum pkgimg_status identify(struct writer *writer)
{
  struct reader reader = {
      .file = writer->input->name, .bytes = {writer->image->data, writer->image->size}, .error = writer->error};
  struct disk_header *header = &writer->header;
  uint64_t note;
  TRY(note_find(&reader, &note));
  uint8_t *at = writer->image->data + note;
  memcpy(at + offsetof(struct disk_note, header), header, sizeof *header);
  TRY(image_file_identity(&reader, note, header->geometry.tables_offset, header->geometry.build_id));
  memcpy(at + offsetof(struct disk_note, header), header, sizeof *header);
  memcpy(at + FORMAT_GNU_NOTE_ID, header->geometry.build_id, 16);
  memcpy(writer->image->data + header->geometry.tables_offset + offsetof(struct disk_tables, build_id),
         header->geometry.build_id, 16);
  return PKGIMG_OK;
}

static enum pkgimg_status write_image(struct writer *writer, struct span words, struct buffer *closure)
{
  const struct linked *linked = writer->input->linked;
  struct disk_area *areas = writer->header.geometry.areas;
  writer_areas(linked, areas);
  if (writer->input->capture && writer->input->capture->data.size > areas[AREA_W].file_size)
    areas[AREA_W].file_size = round_up(writer->input->capture->data.size, 8);
  writer->head.words = (uint32_t)((areas[AREA_L].file_size + areas[AREA_W].file_size) / 8);
  TRY(make_tables(writer));
  TRY(make_closure(writer, closure));
  TRY(begin_table(writer, &writer->head.strings, writer->strings.size));
  TRY(buffer_append(&writer->body, writer->strings.data, writer->strings.size, writer->error));
  TRY(buffer_align(&writer->body, 8, writer->error));
  if (writer->body.size > UINT32_MAX)
    return fail(writer->error, PKGIMG_UNSUPPORTED, writer->input->name, "the tables are larger than 4 GiB");
  TRY(splice(writer, words, closure));
  move_sections(writer, linked->sections[linked->tables_section].sh_offset);
  fill_in(writer);
  return identify(writer);
}

enum pkgimg_status writer_run(const struct writer_input *input, struct span words, struct buffer *image,
                              struct pkgimg_error *error)
{
  struct writer writer = {
      .input = input,
      .image = image,
      .error = error,
      .header = {.version = FORMAT_VERSION, .machine = FORMAT_HOST_MACHINE, .area_count = AREA_COUNT},
  };
  struct buffer closure = {0};
  enum pkgimg_status status = write_image(&writer, words, &closure);
  buffer_deinit(&closure);
  buffer_deinit(&writer.strings);
  buffer_deinit(&writer.body);
  buffer_deinit(&writer.details);
  return status;
}
