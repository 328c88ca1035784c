// SPDX-License-Identifier: MIT
//
// Accidents: images cut off, and images with one wrong bit.
#include "tests/should_fail/expect.h"
#include "tests/should_fail/groups.h"
#include "tests/should_fail/watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FLIPS = 10000 };

// ---- one wrong bit

// SplitMix64: the same places in every run.
static uint64_t next_random(uint64_t *state)
{
  uint64_t value = *state += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

static bool in(uint64_t at, uint64_t start, uint64_t size)
{
  return at >= start && at - start < size;
}

// Whether a load reads the byte, and so must notice. It maps R and X without looking, and of the ELF
// headers takes what leads to the note; that the note tells its size too is not looked at.
static bool is_read(const struct disk_header *header, uint64_t note, uint64_t at)
{
  const struct disk_area *areas = header->geometry.areas;
  if (in(at, note + offsetof(struct disk_note, header_size), 4))
    return false;
  return in(at, note, sizeof(struct disk_note)) || in(at, areas[AREA_L].file_offset, areas[AREA_L].file_size) ||
         in(at, areas[AREA_W].file_offset, areas[AREA_W].file_size) ||
         in(at, header->geometry.tables_offset, header->geometry.tables_size + header->closure_size);
}

static bool flip_is_refused(const struct forgery *good, const char *path, uint64_t bit, bool verify)
{
  struct pkgimg_error error = {0};
  enum pkgimg_status status = verify ? pkgimg_verify(path, &error) : try_load(path, &error);
  if (status != PKGIMG_OK)
    return error_is_complete("a wrong bit", &error);
  if (!verify && !is_read(forgery_header(good), good->note, bit / 8))
    return true;
  printf("bit %u of byte 0x%llx is wrong, and nobody notices\n", (unsigned)(bit % 8), (unsigned long long)bit / 8);
  return false;
}

// Write the byte of `bit`, with that bit as it should be or not.
static void write_bit(const struct forgery *good, int fd, uint64_t bit, bool wrong)
{
  uint8_t byte = good->bytes[bit / 8] ^ (uint8_t)(wrong << bit % 8);
  if (pwrite(fd, &byte, 1, (off_t)(bit / 8)) != 1)
    abort();
}

static unsigned flip_all(const struct forgery *good, const char *path, bool verify)
{
  unsigned failures = 0, done = 0;
  uint64_t random = 17;
  bool *seen = calloc(good->size, 8);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (!seen || fd < 0)
    abort();
  while (done < FLIPS) {
    uint64_t bit = next_random(&random) % (good->size * 8);
    if (seen[bit])
      continue;
    seen[bit] = true;
    done++;
    write_bit(good, fd, bit, true);
    failures += !flip_is_refused(good, path, bit, verify);
    write_bit(good, fd, bit, false);
  }
  free(seen);
  close(fd);
  printf("%u bits of %zu\n", done, good->size * 8);
  return failures;
}

static unsigned run_flips(const struct folders *folders, bool verify)
{
  static const char *const needed[] = {"leaf", "full", NULL};
  copy_good(folders, needed);
  struct forgery good = take_good(folders, "full");
  struct pkgimg_error error = {0};
  const char *path = image_path(folders->work, "full");
  struct watch before = watch_take();
  unsigned failures = flip_all(&good, path, verify);
  failures += !watch_same(&before, "wrong bits");
  if (pkgimg_verify(path, &error) != PKGIMG_OK)
    failures++, puts("the image did not survive the test");
  watch_deinit(&before);
  forgery_deinit(&good);
  return failures;
}

unsigned run_flips_verify(const struct folders *folders)
{
  return run_flips(folders, true);
}
unsigned run_flips_load(const struct folders *folders)
{
  return run_flips(folders, false);
}

// ---- cut off

static bool cut_in_memory(const struct forgery *good, size_t size)
{
  // A copy of its own, so that the sanitizer sees a read behind its end.
  uint8_t *bytes = malloc(size + !size);
  struct pkgimg_error error = {0};
  struct image_file file;
  if (!bytes)
    abort();
  memcpy(bytes, good->bytes, size);
  struct reader reader = {.file = "cut.so", .bytes = {bytes, size}, .error = &error};
  bool refused = image_file_read(&reader, &file) != PKGIMG_OK;
  free(bytes);
  if (!refused)
    printf("%zu bytes: accepted\n", size);
  return refused && error_is_complete("cut off", &error);
}

static bool cut_file(const struct forgery *good, const char *path, const char *loaded, size_t size, size_t needed)
{
  char name[64];
  snprintf(name, sizeof name, "%zu bytes", size);
  struct pkgimg_error error = {0};
  file_write(path, good->bytes, size);
  bool refused = pkgimg_verify(path, &error) != PKGIMG_OK && error_is_complete(name, &error);
  error = (struct pkgimg_error){0};
  enum pkgimg_status status = try_load(loaded, &error);
  if (status == PKGIMG_OK ? size >= needed : refused && error_is_complete(name, &error))
    return refused;
  printf("%s of %zu, %zu are needed: %s\n", name, good->size, needed, pkgimg_status_name(status));
  return false;
}

// Where headers, areas and tables begin and end.
static size_t boundaries(const struct forgery *good, size_t *places)
{
  const struct disk_header *header = forgery_header(good);
  const struct disk_tables *tables = forgery_tables(good);
  const struct disk_table *table = &tables->strings;
  size_t count = 0, at = header->geometry.tables_offset;
  for (int i = 0; i < AREA_COUNT; i++) {
    places[count++] = header->geometry.areas[i].file_offset;
    places[count++] = header->geometry.areas[i].file_offset + header->geometry.areas[i].file_size;
  }
  for (int i = 0; i < 7; i++)
    places[count++] = at + table[i].offset;
  size_t others[] = {sizeof(Elf64_Ehdr),
                     good->note,
                     good->note + offsetof(struct disk_note, header),
                     good->note + sizeof(struct disk_note),
                     at,
                     at + sizeof *tables,
                     at + header->geometry.tables_size,
                     header->closure_offset + sizeof(struct disk_closure),
                     header->closure_offset + header->closure_size,
                     good->size};
  memcpy(places + count, others, sizeof others);
  return count + sizeof others / sizeof *others;
}

// As the image that is asked for, then as a dependency.
static unsigned cut_files(const struct forgery *good, const struct folders *folders, size_t size)
{
  const struct disk_header *header = forgery_header(good);
  char path[PATH_MAX], top[PATH_MAX];
  snprintf(path, sizeof path, "%s", image_path(folders->work, "full"));
  snprintf(top, sizeof top, "%s", image_path(folders->work, "top"));
  unsigned failures = !cut_file(good, path, path, size, header->closure_offset + header->closure_size);
  return failures + !cut_file(good, path, top, size, header->closure_offset);
}

unsigned run_truncation(const struct folders *folders)
{
  static const char *const needed[] = {"leaf", "full", "top", NULL};
  struct forgery good = take_good(folders, "full");
  unsigned failures = 0;
  size_t places[64];
  copy_good(folders, needed);
  struct watch before = watch_take();
  for (size_t size = 0; size < good.size; size++)
    failures += !cut_in_memory(&good, size);
  for (size_t size = 0; size < good.size; size += 16)
    failures += cut_files(&good, folders, size);
  for (size_t i = boundaries(&good, places); i > 0; i--)
    for (size_t size = places[i - 1] ? places[i - 1] - 1 : 0; size < good.size && size <= places[i - 1] + 1;
         size++)
      failures += cut_files(&good, folders, size);
  failures += !watch_same(&before, "cut off");
  watch_deinit(&before);
  forgery_deinit(&good);
  return failures;
}
