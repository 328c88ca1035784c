// SPDX-License-Identifier: MIT
//
// Scratch folders, whole files in and out.
#include "linker/linker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(int *fd)
{
  if (*fd >= 0)
    close(*fd);
}

enum pkgimg_status scratch_init(struct scratch *scratch, struct pkgimg_error *error)
{
  const char *parent = getenv("TMPDIR");
  int length =
      snprintf(scratch->path, sizeof scratch->path, "%s/pkgimg-XXXXXX", parent && *parent ? parent : "/tmp");
  if (length >= (int)sizeof scratch->path || !mkdtemp(scratch->path)) {
    enum pkgimg_status status = fail_system(error, scratch->path, "making a scratch folder");
    scratch->path[0] = 0;
    return status;
  }
  return PKGIMG_OK;
}

void scratch_deinit(struct scratch *scratch)
{
  DIR *folder = scratch->path[0] ? opendir(scratch->path) : NULL;
  if (!folder)
    return;
  for (struct dirent *entry; (entry = readdir(folder));)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      unlinkat(dirfd(folder), entry->d_name, 0);
  closedir(folder);
  rmdir(scratch->path);
  scratch->path[0] = 0;
}

static enum pkgimg_status read_all(int fd, const char *path, struct buffer *contents, struct pkgimg_error *error)
{
  uint8_t chunk[65536];
  for (;;) {
    ssize_t got = read(fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return fail_system(error, path, "read");
    if (got == 0)
      return PKGIMG_OK;
    TRY(buffer_append(contents, chunk, (size_t)got, error));
  }
}

enum pkgimg_status file_read(const char *path, struct buffer *contents, struct pkgimg_error *error)
{
  int fd AUTO(close_fd) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return fail_system(error, path, "open");
  return read_all(fd, path, contents, error);
}

static enum pkgimg_status write_all(int fd, const char *path, struct span contents, struct pkgimg_error *error)
{
  for (size_t at = 0; at < contents.size;) {
    ssize_t put = write(fd, contents.data + at, contents.size - at);
    if (put < 0 && errno != EINTR)
      return fail_system(error, path, "write");
    at += put < 0 ? 0 : (size_t)put;
  }
  return PKGIMG_OK;
}

// The name is in the folder itself only when it is durable there.
static void sync_folder_of(const char *path)
{
  char folder[4096];
  const char *slash = strrchr(path, '/');
  if (!slash)
    snprintf(folder, sizeof folder, ".");
  else
    snprintf(folder, sizeof folder, "%.*s", (int)(slash == path ? 1 : slash - path), path);
  int fd AUTO(close_fd) = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0)
    fsync(fd);
}

// Without the zeros at its end, in whole pages.
static struct span without_tail(struct span piece)
{
  size_t size = piece.size;
  while (size >= 8 && memcmp(piece.data + size - 8, "\0\0\0\0\0\0\0", 8) == 0)
    size -= 8;
  size = (size + 4095) & ~(size_t)4095;
  return (struct span){piece.data, size < piece.size ? size : piece.size};
}

static enum pkgimg_status write_part(int fd, const char *path, struct span part, off_t *end, struct pkgimg_error *error)
{
  const size_t step = 2 << 20;
  for (size_t at = 0; at < part.size; at += step) {
    struct span piece = {part.data + at, part.size - at < step ? part.size - at : step};
    struct span written = without_tail(piece);
    *end += (off_t)piece.size;
    TRY(write_all(fd, path, written, error));
    if (written.size < piece.size && lseek(fd, (off_t)(piece.size - written.size), SEEK_CUR) < 0)
      return fail_system(error, path, "lseek");
  }
  return PKGIMG_OK;
}

static enum pkgimg_status write_parts(int fd, const char *path, const struct span *parts, size_t count,
                                      struct pkgimg_error *error)
{
  off_t end = 0;
  for (size_t i = 0; i < count; i++)
    TRY(write_part(fd, path, parts[i], &end, error));
  return ftruncate(fd, end) < 0 ? fail_system(error, path, "ftruncate") : PKGIMG_OK;
}

static enum pkgimg_status write_and_rename(int fd, const char *temporary, const char *path, const struct span *parts,
                                           size_t count, unsigned mode, struct pkgimg_error *error)
{
  TRY(write_parts(fd, temporary, parts, count, error));
  mode_t mask = umask(0);
  umask(mask);
  if (fchmod(fd, mode & ~mask) < 0)
    return fail_system(error, temporary, "fchmod");
  if (fsync(fd) < 0)
    return fail_system(error, temporary, "fsync");
  if (rename(temporary, path) < 0)
    return fail_system(error, path, "rename");
  sync_folder_of(path);
  return PKGIMG_OK;
}

enum pkgimg_status file_publish(const char *path, struct span contents, unsigned mode, struct pkgimg_error *error)
{
  return file_publish_parts(path, &contents, 1, mode, error);
}

enum pkgimg_status file_publish_parts(const char *path, const struct span *parts, size_t count, unsigned mode,
                                      struct pkgimg_error *error)
{
  char temporary[4096];
  if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
    return fail(error, PKGIMG_INVALID_ARGUMENT, path, "the path is too long");
  int fd AUTO(close_fd) = mkostemp(temporary, O_CLOEXEC);
  if (fd < 0)
    return fail_system(error, path, "creating the file");
  enum pkgimg_status status = write_and_rename(fd, temporary, path, parts, count, mode, error);
  if (status != PKGIMG_OK)
    unlink(temporary);
  return status;
}

enum pkgimg_status scratch_write(const struct scratch *scratch, const char *name, struct span contents,
                                 struct pkgimg_error *error)
{
  char path[sizeof scratch->path + 64];
  snprintf(path, sizeof path, "%s/%s", scratch->path, name);
  int fd AUTO(close_fd) = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail_system(error, path, "open");
  return write_all(fd, path, contents, error);
}
