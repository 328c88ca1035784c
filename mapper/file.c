// SPDX-License-Identifier: MIT
//
// Image files: opened, read, mapped. The loader itself only looks at bytes that it has read: a file
// that shrinks under us is a short read, not a SIGBUS.
#include "mapper/mapper.h"
#include "mapper/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum pkgimg_status image_open(int at, const char *name, const char *path, struct image_handle *handle,
                              struct map_counts *counts, struct pkgimg_error *error)
{
  handle->path = path;
  // O_NONBLOCK: a FIFO in the place of an image must not hold us up.
  handle->fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  counts->system_calls++;
  if (handle->fd < 0)
    return fail_system(error, path, "open");
  return PKGIMG_OK;
}

void image_close(struct image_handle *handle, struct map_counts *counts)
{
  if (handle->fd >= 0) {
    close(handle->fd);
    counts->system_calls++;
  }
  handle->fd = -1;
}

int folder_open(const char *path, struct map_counts *counts)
{
  counts->system_calls++;
  return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void folder_close(int fd, struct map_counts *counts)
{
  if (fd >= 0) {
    close(fd);
    counts->system_calls++;
  }
}

enum pkgimg_status image_pread(const struct image_handle *handle, void *bytes, size_t size, uint64_t offset,
                               size_t *short_ok, struct map_counts *counts, struct pkgimg_error *error)
{
  ssize_t got;
  do {
    got = pread(handle->fd, bytes, size, (off_t)offset);
    counts->system_calls++;
  } while (got < 0 && errno == EINTR);
  if (got < 0)
    return fail_system(error, handle->path, "read");
  counts->bytes_read += (size_t)got;
  if (short_ok)
    *short_ok = (size_t)got;
  else if ((size_t)got < size)
    return fail_at(error, PKGIMG_TRUNCATED, handle->path, offset, "bytes of the file", size, (uint64_t)got);
  return PKGIMG_OK;
}

static enum pkgimg_status map_file(const struct image_handle *handle, const struct disk_area *area, uint8_t *address,
                                   int protection, struct map_counts *counts, struct pkgimg_error *error)
{
  if (area->memory_size == 0)
    return PKGIMG_OK;
  void *mapped = mmap(address, area->memory_size, protection, MAP_PRIVATE | MAP_FIXED_NOREPLACE, handle->fd,
                      (off_t)area->file_offset);
  counts->system_calls++;
  counts->mappings++;
  if (mapped == MAP_FAILED)
    return fail_mapping(handle->path, error);
  return PKGIMG_OK;
}

static void unmap(const struct disk_area *area, uint8_t *address)
{
  if (area->memory_size)
    munmap(address, area->memory_size);
}

void image_unmap(const struct disk_geometry *geometry, const struct slot *slot)
{
  unmap(&geometry->areas[AREA_R], slot_area(slot, AREA_R));
  unmap(&geometry->areas[AREA_X], slot_area(slot, AREA_X));
}

// L, W and the tables follow each other in the file, with less than a page of filling between them.
static enum pkgimg_status read_parts(const struct image_handle *handle, const struct disk_geometry *geometry,
                                     const struct slot *slot, void *tables, struct map_counts *counts,
                                     struct pkgimg_error *error)
{
  const struct disk_area *constants = &geometry->areas[AREA_L], *data = &geometry->areas[AREA_W];
  uint8_t filling[FORMAT_PAGE];
  uint64_t constants_end = constants->file_offset + constants->file_size;
  uint64_t data_end = data->file_offset + data->file_size;
  struct iovec parts[] = {
      {slot_area(slot, AREA_L), constants->file_size},
      {filling, data->file_offset - constants_end},
      {slot_area(slot, AREA_W), data->file_size},
      {filling, geometry->tables_offset - data_end},
      {tables, geometry->tables_size},
  };
  uint64_t wanted = geometry->tables_offset + geometry->tables_size - constants->file_offset;
  ssize_t got;
  do {
    got = preadv(handle->fd, parts, sizeof parts / sizeof *parts, (off_t)constants->file_offset);
    counts->system_calls++;
  } while (got < 0 && errno == EINTR);
  if (got < 0)
    return fail_system(error, handle->path, "read");
  counts->bytes_read += (uint64_t)got;
  if ((uint64_t)got < wanted)
    return fail_at(error, PKGIMG_TRUNCATED, handle->path, constants->file_offset, "bytes of data and tables", wanted,
                   (uint64_t)got);
  return PKGIMG_OK;
}

enum pkgimg_status image_map(const struct image_handle *handle, const struct disk_geometry *geometry,
                             const struct slot *slot, void *tables, struct map_counts *counts,
                             struct pkgimg_error *error)
{
  TRY(read_parts(handle, geometry, slot, tables, counts, error));
  const struct disk_area *constants = &geometry->areas[AREA_R], *code = &geometry->areas[AREA_X];
  TRY(map_file(handle, constants, slot_area(slot, AREA_R), PROT_READ, counts, error));
  enum pkgimg_status status =
      map_file(handle, code, slot_area(slot, AREA_X), PROT_READ | PROT_EXEC, counts, error);
  if (status != PKGIMG_OK)
    unmap(constants, slot_area(slot, AREA_R));
  return status;
}
