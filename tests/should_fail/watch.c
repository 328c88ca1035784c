// SPDX-License-Identifier: MIT
#include "tests/should_fail/watch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static long long mapped_bytes;

long long watch_bytes(void)
{
  return mapped_bytes;
}

static long long whole_pages(size_t size)
{
  return (long long)((size + 4095) & ~(size_t)4095);
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
  void *mapped = (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
  if (mapped != MAP_FAILED)
    mapped_bytes += whole_pages(size);
  return mapped;
}

int munmap(void *address, size_t size)
{
  int result = (int)syscall(SYS_munmap, address, size);
  if (result == 0)
    mapped_bytes -= whole_pages(size);
  return result;
}

// Anonymous memory comes and goes with allocators and with AddressSanitizer while we only look; what
// the load side has of it is in the count above.
static bool is_allocators(const char *line)
{
  char path[8] = "";
  sscanf(line, "%*s %*s %*s %*s %*s %7s", path);
  return !*path || strncmp(path, "[anon", 5) == 0 || strncmp(path, "[heap]", 6) == 0 ||
         strncmp(path, "[stack", 6) == 0;
}

static char *mappings(void)
{
  char *text = NULL, *line = NULL;
  size_t size = 0, capacity = 0;
  FILE *in = fopen("/proc/self/maps", "re"), *out = open_memstream(&text, &size);
  if (!in || !out)
    abort();
  while (getline(&line, &capacity, in) > 0)
    if (!is_allocators(line))
      fputs(line, out);
  free(line);
  fclose(in);
  fclose(out);
  return text;
}

static char *open_files(void)
{
  char *text = NULL, target[256];
  size_t size = 0;
  DIR *folder = opendir("/proc/self/fd");
  FILE *out = open_memstream(&text, &size);
  if (!folder || !out)
    abort();
  for (struct dirent *entry; (entry = readdir(folder));) {
    ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target);
    bool own = strtol(entry->d_name, NULL, 10) == dirfd(folder);
    if (length > 0 && !own)
      fprintf(out, "%s -> %.*s\n", entry->d_name, (int)length, target);
  }
  fclose(out);
  closedir(folder);
  return text;
}

struct watch watch_take(void)
{
  return (struct watch){.mappings = mappings(), .files = open_files()};
}

void watch_deinit(struct watch *watch)
{
  free(watch->mappings);
  free(watch->files);
  *watch = (struct watch){0};
}

// The lines of `text` that `other` lacks.
static void print_missing(const char *title, const char *text, const char *other)
{
  char line[512];
  for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
    snprintf(line, sizeof line, "%.*s\n", (int)(end - text), text);
    if (!strstr(other, line))
      printf("  %s: %s", title, line);
  }
}

static bool same(const char *what, const char *kind, const char *before, const char *after)
{
  if (strcmp(before, after) == 0)
    return true;
  printf("%s: %s differ\n", what, kind);
  print_missing("gone", before, after);
  print_missing("left behind", after, before);
  return false;
}

bool watch_same(const struct watch *before, const char *what)
{
  struct watch now = watch_take();
  bool equal = same(what, "mappings", before->mappings, now.mappings);
  equal &= same(what, "open files", before->files, now.files);
  if (before->bytes != now.bytes)
    equal = false, printf("%s: %lld bytes are still mapped\n", what, now.bytes - before->bytes);
  watch_deinit(&now);
  return equal;
}
