// SPDX-License-Identifier: MIT
#include "tests/should_fail/fields.h"

#include "format/sites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t in_tables(const struct forgery *forgery, const struct disk_table *table)
{
  return forgery_header(forgery)->geometry.tables_offset + table->offset;
}

static uint64_t type_place(const struct forgery *forgery, enum place place)
{
  uint64_t start = in_tables(forgery, &forgery_tables(forgery)->types);
  const struct disk_types *types = (const struct disk_types *)(const void *)(forgery->bytes + start);
  const uint32_t *records = (const uint32_t *)(const void *)(forgery->bytes + types->descriptions.address);
  switch (place) {
  case PLACE_TYPES:
    return start;
  case PLACE_TYPE_KEY:
    return start + types->keys.offset;
  case PLACE_WORD_TYPE:
    return start + types->word_types.offset;
  case PLACE_FUNCTION:
    return start + types->functions.offset;
  case PLACE_METHOD:
    return start + types->methods.offset;
  case PLACE_ARGUMENT:
    return start + types->arguments.offset;
  case PLACE_TYPE_LAST:
    return types->descriptions.address + records[types->keys.count - 1];
  default:
    return types->descriptions.address;
  }
}

// The field of the first access, in the file as in memory.
static uint64_t first_access(const struct forgery *forgery)
{
  const struct disk_tables *tables = forgery_tables(forgery);
  struct span bytes = {(const uint8_t *)tables + tables->accesses.offset, tables->accesses.size};
  struct sites_walk walk;
  uint32_t ids[SITES_BATCH];
  if (!sites_begin(&walk, bytes, UINT32_MAX) || sites_next(&walk, ids) == 0) {
    puts("an image without accesses");
    exit(2);
  }
  return forgery_header(forgery)->geometry.areas[AREA_X].address + ids[0];
}

static uint64_t table_place(const struct forgery *forgery, enum place place)
{
  const struct disk_tables *tables = forgery_tables(forgery);
  switch (place) {
  case PLACE_STRINGS:
    return in_tables(forgery, &tables->strings);
  case PLACE_DEPENDENCY:
    return in_tables(forgery, &tables->dependencies);
  case PLACE_IMPORT:
    return in_tables(forgery, &tables->imports);
  case PLACE_SET:
    return in_tables(forgery, &tables->site_sets);
  case PLACE_SITE_IMPORT:
    return in_tables(forgery, &tables->site_imports);
  case PLACE_RESIDUAL:
    return in_tables(forgery, &tables->residuals);
  case PLACE_TARGET:
    return in_tables(forgery, &tables->targets);
  case PLACE_CLONE:
    return in_tables(forgery, &tables->clones);
  case PLACE_BODY:
    return in_tables(forgery, &tables->bodies);
  case PLACE_CLONE_SET:
    return in_tables(forgery, &tables->clone_sets);
  case PLACE_SITE_CLONE:
    return in_tables(forgery, &tables->site_clones);
  case PLACE_CAPTURED_SET:
    return in_tables(forgery, &tables->captured_sets);
  case PLACE_CAPTURED_DETAIL:
    return in_tables(forgery, &tables->captured_details);
  case PLACE_ROOT:
    return in_tables(forgery, &tables->roots);
  case PLACE_ACCESS:
    return first_access(forgery) - 2;
  default:
    return in_tables(forgery, &tables->libraries);
  }
}

static uint64_t note_segment(const struct forgery *forgery)
{
  const Elf64_Ehdr *elf = (const Elf64_Ehdr *)(const void *)forgery->bytes;
  const Elf64_Phdr *segments = (const Elf64_Phdr *)(const void *)(forgery->bytes + elf->e_phoff);
  unsigned index = 0;
  while (segments[index].p_type != PT_NOTE)
    index++;
  return elf->e_phoff + index * sizeof *segments;
}

static uint64_t place_offset(const struct forgery *forgery, enum place place)
{
  const struct disk_header *header = forgery_header(forgery);
  switch (place) {
  case PLACE_ELF:
    return 0;
  case PLACE_NOTE_SEGMENT:
    return note_segment(forgery);
  case PLACE_NOTE:
    return forgery->note;
  case PLACE_HEADER:
    return forgery->note + offsetof(struct disk_note, header);
  case PLACE_TABLES:
    return header->geometry.tables_offset;
  case PLACE_CLOSURE:
    return header->closure_offset;
  case PLACE_ENTRY:
    return header->closure_offset + sizeof(struct disk_closure);
  default:
    return place >= PLACE_TYPES ? type_place(forgery, place) : table_place(forgery, place);
  }
}

static uint64_t value_of(const struct forgery *forgery, const struct edit *edit)
{
  const struct disk_geometry *geometry = &forgery_header(forgery)->geometry;
  const struct disk_area *constants = &geometry->areas[AREA_L], *data = &geometry->areas[AREA_W];
  if (edit->from == FROM_ZERO)
    return edit->value;
  if (edit->from == FROM_ACCESS)
    return edit->value + FORMAT_L_START - (first_access(forgery) + 4);
  const uint64_t origins[] = {[FROM_X] = geometry->areas[AREA_X].address,
                              [FROM_END_OF_X] =
                                  geometry->areas[AREA_X].address + geometry->areas[AREA_X].memory_size,
                              [FROM_END_OF_L] = constants->address + constants->file_size,
                              [FROM_END_OF_W] = data->address + data->file_size,
                              [FROM_END_OF_H] = FORMAT_H_START + forgery_tables(forgery)->heap.size,
                              [FROM_TABLES] = geometry->tables_offset};
  return edit->value + origins[edit->from];
}

void edit_apply(struct forgery *forgery, const struct edit *edit)
{
  if (edit->place == PLACE_NOWHERE)
    return;
  uint64_t at = place_offset(forgery, edit->place) + edit->offset;
  if (!range_within(at, edit->size, forgery->size) || edit->size > 8) {
    printf("an edit at 0x%llx lies outside of the image\n", (unsigned long long)at);
    exit(2);
  }
  uint64_t value = value_of(forgery, edit);
  memcpy(forgery->bytes + at, &value, edit->size);
}
