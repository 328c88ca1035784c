// SPDX-License-Identifier: MIT
#include "tests/should_fail/forge.h"

#include "base/hash.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void give_up(const char *path)
{
  perror(path);
  exit(2);
}

static bool inside(const struct forgery *forgery, uint64_t offset, uint64_t size)
{
  return range_within(offset, size, forgery->size);
}

bool forgery_init(struct forgery *forgery, const void *bytes, size_t size)
{
  *forgery = (struct forgery){.bytes = malloc(size + !size), .size = size};
  if (!forgery->bytes)
    give_up("malloc");
  memcpy(forgery->bytes, bytes, size);
  struct reader reader = {.bytes = {forgery->bytes, size}};  // aligned, as the given ones may not be
  if (note_find(&reader, &forgery->note) == PKGIMG_OK && inside(forgery, forgery->note + FORMAT_GNU_NOTE_ID, 16))
    return true;
  forgery_deinit(forgery);
  return false;
}

void forgery_deinit(struct forgery *forgery)
{
  free(forgery->bytes);
  *forgery = (struct forgery){0};
}

struct forgery forgery_read(const char *path)
{
  struct forgery forgery;
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) < 0)
    give_up(path);
  size_t size = (size_t)status.st_size;
  uint8_t *bytes = malloc(size + 1);
  if (!bytes || read(fd, bytes, size) != (ssize_t)size || !forgery_init(&forgery, bytes, size))
    give_up(path);
  free(bytes);
  close(fd);
  return forgery;
}

// A new file each time: the old one may be mapped, or may be something else than a file.
void file_write(const char *path, const void *bytes, size_t size)
{
  unlink(path);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || close(fd) < 0)
    give_up(path);
}

void forgery_write(const struct forgery *forgery, const char *path)
{
  file_write(path, forgery->bytes, forgery->size);
}

// ---- where things are

static struct disk_note *note_of(const struct forgery *forgery)
{
  return (struct disk_note *)(void *)(forgery->bytes + forgery->note);
}

// The note is 4-byte aligned in most files, and the header's members are not always 8-byte aligned
// then: x86-64 does not mind, but a test under the sanitizer does.
struct disk_header *forgery_header(const struct forgery *forgery)
{
  return forgery->note % 8 == 0 ? &note_of(forgery)->header : NULL;
}

struct disk_tables *forgery_tables(const struct forgery *forgery)
{
  const struct disk_header *header = forgery_header(forgery);
  if (!header || header->geometry.tables_offset % 8 ||
      !inside(forgery, header->geometry.tables_offset, sizeof(struct disk_tables)))
    return NULL;
  return (struct disk_tables *)(void *)(forgery->bytes + header->geometry.tables_offset);
}

struct disk_closure *forgery_closure(const struct forgery *forgery)
{
  const struct disk_header *header = forgery_header(forgery);
  if (!header || header->closure_offset % 8 ||
      !inside(forgery, header->closure_offset, sizeof(struct disk_closure)))
    return NULL;
  return (struct disk_closure *)(void *)(forgery->bytes + header->closure_offset);
}

// ---- seals

static void seal_data(const struct forgery *forgery, struct disk_tables *tables)
{
  const struct disk_geometry *geometry = &forgery_header(forgery)->geometry;
  const struct disk_area *constants = &geometry->areas[AREA_L], *data = &geometry->areas[AREA_W];
  if (inside(forgery, constants->file_offset, constants->file_size) &&
      inside(forgery, data->file_offset, data->file_size))
    tables->data_hash =
        data_hash(geometry, forgery->bytes + constants->file_offset, forgery->bytes + data->file_offset);
}

static void seal_tables(const struct forgery *forgery)
{
  const struct disk_geometry *geometry = &forgery_header(forgery)->geometry;
  struct disk_tables *tables = forgery_tables(forgery);
  if (!tables)
    return;
  tables->geometry_hash = geometry_hash(geometry);
  seal_data(forgery, tables);
  if (geometry->tables_size >= sizeof *tables && inside(forgery, geometry->tables_offset, geometry->tables_size))
    tables->hash = hash64((uint8_t *)tables + FORMAT_TABLES_HASHED, geometry->tables_size - FORMAT_TABLES_HASHED);
}

static void seal_closure(const struct forgery *forgery)
{
  const struct disk_header *header = forgery_header(forgery);
  struct disk_closure *closure = forgery_closure(forgery);
  if (closure && header->closure_size >= sizeof *closure &&
      inside(forgery, header->closure_offset, header->closure_size))
    closure->hash =
        hash64((uint8_t *)closure + FORMAT_CLOSURE_HASHED, header->closure_size - FORMAT_CLOSURE_HASHED);
}

void forgery_set_build_id(struct forgery *forgery, const uint8_t build_id[16])
{
  struct disk_tables *tables = forgery_tables(forgery);
  memcpy(forgery_header(forgery)->geometry.build_id, build_id, 16);
  memcpy(forgery->bytes + forgery->note + FORMAT_GNU_NOTE_ID, build_id, 16);
  if (tables)
    memcpy(tables->build_id, build_id, 16);
}

// The hash of what types are, which stands in the tables.
static void seal_types(struct forgery *forgery)
{
  const struct disk_tables *tables = forgery_tables(forgery);
  uint64_t start = tables ? forgery_header(forgery)->geometry.tables_offset + tables->types.offset : 0;
  if (!tables || start % 8 || tables->types.count < sizeof(struct disk_types) ||
      !inside(forgery, start, sizeof(struct disk_types)))
    return;
  struct disk_types *types = (struct disk_types *)(void *)(forgery->bytes + start);
  if (inside(forgery, types->descriptions.address, types->descriptions.count))
    types->descriptions_hash =
        hash64(forgery->bytes + types->descriptions.address, types->descriptions.count);
}

void forgery_seal(struct forgery *forgery, enum seal seal)
{
  uint8_t build_id[16];
  struct reader reader = {.bytes = {forgery->bytes, forgery->size}};
  if (seal == SEAL_NOTHING || !forgery_header(forgery))
    return;
  seal_closure(forgery);
  seal_types(forgery);
  seal_tables(forgery);
  uint64_t tables = forgery_header(forgery)->geometry.tables_offset;
  if (seal == SEAL_ALL && image_file_identity(&reader, forgery->note, tables, build_id) == PKGIMG_OK)
    forgery_set_build_id(forgery, build_id);
}

// ---- larger changes

static void adopt_dependencies(const struct forgery *forgery, const uint8_t old[16], const uint8_t new[16])
{
  struct disk_tables *tables = forgery_tables(forgery);
  if (!tables || tables->dependencies.offset % 8)
    return;
  for (uint32_t i = 0; i < tables->dependencies.count; i++) {
    uint64_t at = forgery_header(forgery)->geometry.tables_offset + tables->dependencies.offset +
                  (uint64_t)i * sizeof(struct disk_dependency);
    if (!inside(forgery, at, sizeof(struct disk_dependency)))
      return;
    struct disk_dependency *entry = (struct disk_dependency *)(void *)(forgery->bytes + at);
    if (memcmp(entry->build_id, old, 16) == 0)
      memcpy(entry->build_id, new, 16);
  }
}

void forgery_adopt(struct forgery *forgery, uint32_t index, const struct forgery *dependency)
{
  struct disk_closure *closure = forgery_closure(forgery);
  const struct disk_header *header = forgery_header(forgery), *other = forgery_header(dependency);
  if (!closure || !header || !other)
    return;
  uint64_t at = header->closure_offset + sizeof *closure + (uint64_t)index * sizeof(struct disk_closure_entry);
  if (!inside(forgery, at, sizeof(struct disk_closure_entry)))
    return;
  struct disk_closure_entry *entry = (struct disk_closure_entry *)(void *)(forgery->bytes + at);
  uint8_t old[16];
  memcpy(old, entry->geometry.build_id, sizeof old);
  adopt_dependencies(forgery, old, other->geometry.build_id);
  entry->geometry = other->geometry;
}

uint32_t forgery_grow_tables(struct forgery *forgery, size_t size)
{
  uint64_t end = forgery_header(forgery)->closure_offset;
  forgery->bytes = realloc(forgery->bytes, forgery->size + size);
  if (!forgery->bytes)
    give_up("realloc");
  memmove(forgery->bytes + end + size, forgery->bytes + end, forgery->size - end);
  memset(forgery->bytes + end, 0, size);
  forgery->size += size;
  struct disk_header *header = forgery_header(forgery);
  header->closure_offset += size;
  header->geometry.tables_size += size;
  struct disk_tables *tables = forgery_tables(forgery);
  if (tables->heap.size)
    tables->heap.file_offset += size;
  return (uint32_t)(end - header->geometry.tables_offset);
}
