// SPDX-License-Identifier: MIT
//
// Image files: opened, read, mapped. The loader itself only looks at bytes that it has read: a file
// that shrinks under us is a short read, not a SIGBUS.
#include "mapper/mapper.h"
#include "mapper/mapping.h"

#include "format/pages.h"

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

// A read that may not wait tells whether the file is in memory, at hardly any cost when it is. Otherwise it begins to
// read nevertheless: with what follows, if the kernel is not told otherwise.
enum head_found image_read_head(const struct image_handle *handle, void *bytes, size_t size, size_t *got,
                                struct map_counts *counts)
{
  struct iovec part = {bytes, size};
  counts->system_calls += 2;
  posix_fadvise(handle->fd, 0, 0, POSIX_FADV_RANDOM);
  ssize_t there = preadv2(handle->fd, &part, 1, 0, RWF_NOWAIT);
  if (there < 0)
    return errno == EAGAIN ? HEAD_ON_DISK : HEAD_UNKNOWN;
  counts->bytes_read += *got = (size_t)there;
  return HEAD_IN_MEMORY;
}

void image_expect(const char *path, uint64_t size, struct image_handle *handle, struct map_counts *counts)
{
  counts->system_calls++;
  if (image_open(AT_FDCWD, path, path, handle, counts, NULL) == PKGIMG_OK)
    posix_fadvise(handle->fd, 0, (off_t)size, POSIX_FADV_WILLNEED);
}

enum pkgimg_status image_size(const struct image_handle *handle, uint64_t *size, struct map_counts *counts,
                              struct pkgimg_error *error)
{
  struct stat status;
  counts->system_calls++;
  if (fstat(handle->fd, &status) < 0)
    return fail_system(error, handle->path, "fstat");
  if (!S_ISREG(status.st_mode))
    return fail(error, PKGIMG_NOT_AN_IMAGE, handle->path, "not a regular file");
  *size = (uint64_t)status.st_size;
  return PKGIMG_OK;
}

enum pkgimg_status image_end(const struct image_handle *handle, uint64_t *end, struct map_counts *counts,
                             struct pkgimg_error *error)
{
  off_t found = lseek(handle->fd, 0, SEEK_END);
  counts->system_calls++;
  *end = (uint64_t)found;
  return found < 0 ? fail_system(error, handle->path, "lseek") : PKGIMG_OK;
}

// Nothing tells how long an image is, with what debuggers read; but a file that does not begin as one,
// and may be huge, is not read to its end.
static enum pkgimg_status check_beginning(const struct image_handle *handle, struct map_counts *counts,
                                          struct pkgimg_error *error)
{
  _Alignas(8) uint8_t head[FORMAT_HEAD];
  struct reader reader = {.file = handle->path, .bytes = {.data = head}, .error = error};
  struct disk_header header;
  struct bundle_header bundle;
  TRY(image_pread(handle, head, sizeof head, 0, &reader.bytes.size, counts, error));
  if (pages_are(head, reader.bytes.size))
    return PKGIMG_OK;
  return bundle_is(head, reader.bytes.size) ? bundle_header_read(&reader, &bundle) : header_read(&reader, &header);
}

enum pkgimg_status image_read_all(const struct image_handle *handle, struct buffer *bytes, struct map_counts *counts,
                                  struct pkgimg_error *error)
{
  enum { CHUNK = 1 << 30 };  // one read returns less than 2 GiB
  uint64_t size;
  TRY(image_size(handle, &size, counts, error));
  TRY(check_beginning(handle, counts, error));
  TRY(buffer_renew(bytes, size, error));
  bytes->size = 0;
  for (size_t got = 1; got > 0 && bytes->size < size; bytes->size += got) {
    uint64_t left = size - bytes->size;
    TRY(image_pread(handle, bytes->data + bytes->size, left < CHUNK ? left : CHUNK, bytes->size, &got, counts,
                    error));
  }
  return PKGIMG_OK;
}

static uint64_t mapped_size(const struct disk_geometry *geometry)
{
  return geometry->areas[AREA_X].address + geometry->areas[AREA_X].memory_size;
}

static enum pkgimg_status map_code(const struct image_handle *handle, const struct disk_geometry *geometry,
                                   const struct slot *slot, struct map_counts *counts, struct pkgimg_error *error)
{
  void *mapped = mmap(slot_at(slot, 0), mapped_size(geometry), PROT_READ | PROT_EXEC,
                      MAP_PRIVATE | MAP_FIXED_NOREPLACE, handle->fd, 0);
  counts->system_calls++;
  counts->mappings++;
  return mapped == MAP_FAILED ? fail_mapping(handle->path, error) : PKGIMG_OK;
}

void image_unmap(const struct disk_geometry *geometry, const struct slot *slot)
{
  munmap(slot_at(slot, 0), mapped_size(geometry));
}

// L, W and the tables follow each other in the file. What fills L's last page in the file goes to the
// same place in memory, where nothing is; a few bytes may stand in front of the tables.
static enum pkgimg_status read_parts(const struct image_handle *handle, const struct disk_geometry *geometry,
                                     const struct slot *slot, void *tables, struct map_counts *counts,
                                     struct pkgimg_error *error)
{
  const struct disk_area *constants = &geometry->areas[AREA_L], *data = &geometry->areas[AREA_W];
  uint8_t filling[8];
  struct iovec parts[] = {
      {slot_at(slot, FORMAT_L_START), data->file_offset - constants->file_offset},
      {slot_at(slot, FORMAT_W_START), data->file_size},
      {filling, geometry->tables_offset - (data->file_offset + data->file_size)},
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
    return fail_at(error, PKGIMG_TRUNCATED, handle->path, constants->file_offset, "bytes of data and tables",
                   wanted, (uint64_t)got);
  return PKGIMG_OK;
}

enum pkgimg_status image_map(const struct image_handle *handle, const struct disk_geometry *geometry,
                             const struct slot *slot, void *tables, struct map_counts *counts,
                             struct pkgimg_error *error)
{
  TRY(read_parts(handle, geometry, slot, tables, counts, error));
  return map_code(handle, geometry, slot, counts, error);
}
