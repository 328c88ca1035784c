// SPDX-License-Identifier: MIT
#include "tests/unit/world.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void give_up(const char *what)
{
  perror(what);
  exit(99);
}

bool world_is_sanitized(void)
{
#ifdef __SANITIZE_ADDRESS__
  return true;
#else
  return false;
#endif
}

// ---- mappings

static void take_line(struct world *world, char *line)
{
  struct mapping *mapping = &world->mappings[world->count];
  unsigned long start, end;
  mapping->path[0] = 0;
  if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %199[^\n]", &start, &end, mapping->protection, mapping->path) < 3)
    give_up("/proc/self/maps");
  mapping->start = start;
  mapping->end = end;
  if (++world->count == WORLD_MAPPINGS)
    give_up("more mappings than expected");
}

static void look_at_mappings(struct world *world)
{
  static char text[1u << 20];
  size_t size = 0;
  int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  for (ssize_t got = 1; got > 0; size += (size_t)got)
    if ((got = read(file, text + size, sizeof text - 1 - size)) < 0)
      give_up("/proc/self/maps");
  close(file);
  text[size] = 0;
  world->count = 0;
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    take_line(world, line);
  }
}

static int count_files(void)
{
  int count = 0;
  for (int fd = 0; fd < 1024; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

void world_look(struct world *world)
{
  look_at_mappings(world);
  world->files = count_files();
}

const char *world_protection(const struct world *world, uint64_t start, uint64_t size)
{
  const char *found = NULL;
  uint64_t end = start + size;
  for (size_t i = 0; i < world->count && start < end; i++) {
    const struct mapping *mapping = &world->mappings[i];
    if (start < mapping->start || start >= mapping->end)
      continue;
    if (found && strcmp(found, mapping->protection) != 0)
      return "";
    found = mapping->protection;
    start = mapping->end;
  }
  return start < end || !found ? "" : found;
}

bool world_has_writable_code(const struct world *world)
{
  for (size_t i = 0; i < world->count; i++)
    if (world->mappings[i].protection[1] == 'w' && world->mappings[i].protection[2] == 'x')
      return true;
  return false;
}

// What malloc maps, and stacks with the guards in front of them.
static bool may_come_and_go(const struct mapping *mapping)
{
  bool named = mapping->path[0] && mapping->path[0] != '[';
  return !named && (strcmp(mapping->protection, "rw-p") == 0 || strcmp(mapping->protection, "---p") == 0);
}

// Bytes of [start, end) that were not mapped before.
static uint64_t new_bytes(const struct world *before, uint64_t start, uint64_t end)
{
  uint64_t fresh = 0;
  for (size_t i = 0; i < before->count && start < end; i++) {
    const struct mapping *old = &before->mappings[i];
    if (old->end <= start)
      continue;
    if (old->start > start)
      fresh += (old->start < end ? old->start : end) - start;
    start = old->end;
  }
  return fresh + (start < end ? end - start : 0);
}

uint64_t world_leaked(const struct world *before)
{
  static struct world now;
  uint64_t leaked = 0;
  world_look(&now);
  for (size_t i = 0; i < now.count; i++) {
    const struct mapping *mapping = &now.mappings[i];
    uint64_t fresh = may_come_and_go(mapping) ? 0 : new_bytes(before, mapping->start, mapping->end);
    if (fresh)
      fprintf(stderr, "still mapped: %lx-%lx %s %s\n", (unsigned long)mapping->start, (unsigned long)mapping->end,
              mapping->protection, mapping->path);
    leaked += fresh;
  }
  if (now.files > before->files)
    fprintf(stderr, "still open: %d files\n", now.files - before->files);
  return leaked + (now.files > before->files ? (uint64_t)(now.files - before->files) : 0);
}

// ---- files

static const char *join(const char *folder, const char *name, const char *suffix)
{
  static char paths[16][512];
  static unsigned next;
  char *path = paths[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % 16];
  if (snprintf(path, sizeof paths[0], "%s/%s%s", folder, name, suffix) >= (int)sizeof paths[0])
    abort();
  return path;
}

const char *image_folder(void)
{
  const char *folder = getenv("UNIT_IMAGES");
  if (!folder)
    give_up("the environment has no UNIT_IMAGES");
  return folder;
}

const char *image_path(const char *name)
{
  return join(image_folder(), name, ".so");
}

static char scratch[512];
static pid_t scratch_owner;

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
  (void)status, (void)kind, (void)walk;
  return remove(path);
}

static void remove_scratch(void)
{
  if (getpid() == scratch_owner)
    nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_folder(void)
{
  if (!scratch[0]) {
    char here[480];
    if (!getcwd(here, sizeof here))
      give_up("getcwd");
    snprintf(scratch, sizeof scratch, "%s/unit-XXXXXX", here);
    if (!mkdtemp(scratch))
      give_up("mkdtemp");
    scratch_owner = getpid();
    atexit(remove_scratch);
  }
  return scratch;
}

const char *scratch_path(const char *name)
{
  return join(scratch_folder(), name, "");
}

uint8_t *read_all(const char *path, size_t *size)
{
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0)
    give_up(path);
  *size = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(*size + 1);
  if (!bytes || fread(bytes, 1, *size, file) != *size)
    give_up(path);
  fclose(file);
  bytes[*size] = 0;
  return bytes;
}

void write_all(const char *path, const void *bytes, size_t size)
{
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
    give_up(path);
}
