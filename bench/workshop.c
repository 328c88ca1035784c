// SPDX-License-Identifier: MIT
#include "bench/workshop.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STAMP_SIZE = 4096 };

void workshop_path(char path[SUBJECT_PATH], const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(path, SUBJECT_PATH, format, arguments);
  va_end(arguments);
  if (length < 0 || length >= SUBJECT_PATH)
    errx(1, "a path is too long");
}

const char *workshop_programs(void)
{
  static char path[SUBJECT_PATH];
  if (path[0])
    return path;
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length < 0)
    err(1, "/proc/self/exe");
  path[length] = 0;
  *strrchr(path, '/') = 0;
  return path;
}

bool workshop_has_pkgimg(void)
{
  char path[SUBJECT_PATH];
  workshop_path(path, "%s/pkgimg", workshop_programs());
  return access(path, X_OK) == 0;
}

static void make_folder(const char *path)
{
  if (mkdir(path, 0777) && errno != EEXIST)
    err(1, "%s", path);
}

static void make_folders(const char *path)
{
  char part[SUBJECT_PATH];
  workshop_path(part, "%s", path);
  for (char *slash = part + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
    *slash = 0;
    make_folder(part);
  }
  make_folder(part);
}

// A default that others may share is not made below /tmp itself, but named by the user.
void workshop_folder(const struct options *options, char path[SUBJECT_PATH], const char *name)
{
  const char *temporary = getenv("TMPDIR");
  if (options->work)
    workshop_path(path, "%s/%s", options->work, name);
  else
    workshop_path(path, "%s/pkgimg-bench-%u/%s", temporary && *temporary ? temporary : "/tmp", (unsigned)getuid(),
                  name);
  make_folders(path);
  char *resolved = realpath(path, NULL);
  if (!resolved)
    err(1, "%s", path);
  workshop_path(path, "%s", resolved);
  free(resolved);
}

bool workshop_is_fresh(const char *folder, const char *stamp)
{
  char path[SUBJECT_PATH], text[STAMP_SIZE];
  workshop_path(path, "%s/stamp", folder);
  FILE *file = fopen(path, "r");
  if (!file)
    return false;
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  return !strcmp(text, stamp);
}

void workshop_begin(const char *folder)
{
  char path[SUBJECT_PATH];
  make_folders(folder);
  workshop_path(path, "%s/stamp", folder);
  if (unlink(path) && errno != ENOENT)
    err(1, "%s", path);
}

void workshop_finish(const char *folder, const char *stamp)
{
  char path[SUBJECT_PATH];
  workshop_path(path, "%s/stamp", folder);
  FILE *file = fopen(path, "w");
  if (!file || fputs(stamp, file) < 0 || fclose(file))
    err(1, "%s", path);
}

// Size and time suffice here: the cache is this machine's own, and a needless rebuild only costs a minute.
void workshop_pkgimg_identity(char *text, size_t size)
{
  static const char *const files[] = {"pkgimg", "pkgimg-build", "../lib/libpkgimg-build.so",
                                      "../libexec/pkgimg-build"};
  size_t used = 0;
  text[0] = 0;
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    char path[SUBJECT_PATH];
    struct stat info;
    workshop_path(path, "%s/%s", workshop_programs(), files[i]);
    if (!stat(path, &info) && used < size)
      used += (size_t)snprintf(text + used, size - used, "%s %ld %ld.%09ld\n", files[i], (long)info.st_size,
                               (long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  }
}

static void bind(const char *other, const char *root, const char *path)
{
  char output[4096];
  struct command command = {0};
  command_add(&command, "%s/pkgimg", workshop_programs());
  command_add(&command, "bind");
  if (other)
    command_add(&command, "%s", other);
  command_add(&command, "%s", root);
  command_add(&command, "-o");
  command_add(&command, "%s", path);
  process_run(&command, output, sizeof output);
  command_deinit(&command);
}

// Anew in each run: the pages that writing leaves in memory are larger than those that a file has which was read a
// little at a time, so that a bundle of an earlier run would be measured in another state. And that one may have
// another order of images, which it would hand down.
void workshop_bind_with(const char *folder, const char *other, const char *root, char path[SUBJECT_PATH])
{
  make_folders(folder);
  workshop_path(path, "%s/root.bundle", folder);
  if (unlink(path) && errno != ENOENT)
    err(1, "%s", path);
  bind(other, root, path);
}

void workshop_bind(const char *folder, const char *root, char path[SUBJECT_PATH])
{
  workshop_bind_with(folder, NULL, root, path);
}

void workshop_bind_again(const char *root, const char *path)
{
  bind(NULL, root, path);
}

static void drop_file(int folder, const char *name)
{
  int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
  // What is not yet on disk stays in memory.
  if (file >= 0 && !fdatasync(file))
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  if (file >= 0)
    close(file);
}

void workshop_drop(const char *path)
{
  char folder[SUBJECT_PATH];
  workshop_path(folder, "%.*s", (int)(strrchr(path, '/') - path), path);
  DIR *entries = opendir(folder);
  if (!entries)
    err(1, "%s", folder);
  for (struct dirent *entry; (entry = readdir(entries));)
    if (entry->d_type == DT_REG)
      drop_file(dirfd(entries), entry->d_name);
  closedir(entries);
}
