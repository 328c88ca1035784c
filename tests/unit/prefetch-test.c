// SPDX-License-Identifier: MIT
//
// However the pages come into memory, the loaded images are the same; a kernel that forbids io_uring only
// changes the statistics.
#include "tests/unit/check.h"
#include "tests/unit/events.h"
#include "tests/unit/forbid.h"
#include "tests/unit/world.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <pkgimg/pkgimg.h>
#include <sys/syscall.h>
#include <unistd.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;
static const char *const files[] = {"tables", "leaf", "top", "left", "right"};

/// What a load made: hashes of the code and constants, and of data without its pointers.
struct result {
  uint64_t hash;
  struct pkgimg_stats stats;
};

static uint64_t hash_image(struct pkgimg_image *image)
{
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];
  pkgimg_image_areas(image, areas);
  uint64_t hash = hash64((const void *)areas[0].address, areas[0].memory_size);
  hash = hash64_seeded((const void *)areas[1].address, areas[1].memory_size, hash);
  // Of relocated memory, what is relative to the image.
  for (uint64_t i = 0; i + 8 <= areas[2].file_size; i += 8) {
    uint64_t word = *(const uint64_t *)(areas[2].address + i);
    word = word - areas[0].address < 1ull << 31 ? word - areas[0].address : word < 1ull << 31 ? word : 1;
    hash = hash64_seeded(&word, sizeof word, hash);
  }
  return hash;
}

static struct result load(enum pkgimg_prefetch prefetch, const char *name)
{
  struct pkgimg_runtime_options options = {.size = sizeof options, .prefetch = prefetch};
  struct pkgimg_runtime *runtime = NULL;
  struct pkgimg_image *image = NULL;
  struct result result = {.stats = {.size = sizeof result.stats}};
  CHECK_OK(pkgimg_runtime_open(&options, &runtime, &error), &error);
  if (CHECK_OK(pkgimg_load(runtime, image_path(name), &image, &error), &error)) {
    result.hash = hash_image(image);
    CHECK_OK(pkgimg_runtime_stats(runtime, &result.stats, &error), &error);
  }
  pkgimg_runtime_close(runtime);
  events_take();
  return result;
}

// ---- kernels that forbid it

static void without_ring(uint64_t expected)
{
  struct result result = load(PKGIMG_PREFETCH_RING, "tables");
  CHECK(result.hash == expected && result.stats.prefetch_rings == 0 && result.stats.prefetched == 2);
  CHECK(load(PKGIMG_PREFETCH_AUTO, "tables").hash == expected);
}

static void auto_only(uint64_t expected)
{
  CHECK(load(PKGIMG_PREFETCH_AUTO, "tables").hash == expected);
}

static void plain_only(uint64_t expected)
{
  CHECK(load(PKGIMG_PREFETCH_PLAIN, "tables").hash == expected);
}

// ---- cold files

static void make_cold(const char *name)
{
  int file = open(image_path(name), O_RDONLY | O_CLOEXEC);
  if (CHECK(file >= 0)) {
    fsync(file);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
  }
}

static struct result load_cold(enum pkgimg_prefetch prefetch)
{
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    make_cold(files[i]);
  return load(prefetch, "tables");
}

static void every_path(uint64_t expected)
{
  struct result none = load(PKGIMG_PREFETCH_NONE, "tables"), plain = load(PKGIMG_PREFETCH_PLAIN, "tables"),
                ring = load(PKGIMG_PREFETCH_RING, "tables");
  CHECK(none.hash == expected && plain.hash == expected && ring.hash == expected);
  CHECK(none.stats.prefetched == 0 && none.stats.prefetch_rings == 0);
  CHECK(plain.stats.prefetched == 2 && plain.stats.prefetch_rings == 0);
  CHECK(ring.stats.prefetched == 2 && ring.stats.prefetch_rings <= 1);
  if (ring.stats.prefetch_rings == 0)
    printf("this kernel gives no io_uring; the fallback is what was tested\n");
  CHECK(none.stats.images == 2 && plain.stats.images == 2 && ring.stats.images == 2);
  CHECK(none.stats.sites == ring.stats.sites && plain.stats.sites == ring.stats.sites);
}

static void cold_and_warm(uint64_t expected)
{
  for (int mode = PKGIMG_PREFETCH_AUTO; mode <= PKGIMG_PREFETCH_RING; mode++)
    CHECK(load_cold(mode).hash == expected);
  struct result warm = load(PKGIMG_PREFETCH_AUTO, "tables");
  CHECK(warm.hash == expected && warm.stats.prefetched == 0);
  struct result cold = load_cold(PKGIMG_PREFETCH_AUTO);
  printf("cold: %lu files fetched ahead, in %lu rings\n", (unsigned long)cold.stats.prefetched,
         (unsigned long)cold.stats.prefetch_rings);
}

static void missing_dependency(void)
{
  struct pkgimg_runtime_options options = {.size = sizeof options};
  size_t size;
  uint8_t *bytes = read_all(image_path("tables"), &size);
  write_all(scratch_path("tables.so"), bytes, size);
  free(bytes);
  for (int mode = PKGIMG_PREFETCH_NONE; mode <= PKGIMG_PREFETCH_RING; mode++) {
    struct pkgimg_runtime *runtime = NULL;
    struct pkgimg_image *image;
    options.prefetch = mode;
    CHECK_OK(pkgimg_runtime_open(&options, &runtime, &error), &error);
    CHECK_STATUS(pkgimg_load(runtime, scratch_path("tables.so"), &image, &error), PKGIMG_NOT_FOUND, &error);
    pkgimg_runtime_close(runtime);
  }
}

int main(void)
{
  static struct world before;
  uint64_t expected = load(PKGIMG_PREFETCH_RING, "tables").hash;
  world_look(&before);
  every_path(expected);
  in_child(SYS_io_uring_setup, EPERM, without_ring, expected);
  in_child(SYS_io_uring_setup, ENOSYS, without_ring, expected);
  in_child(SYS_io_uring_setup, ENOMEM, without_ring, expected);
  in_child(SYS_io_uring_enter, EPERM, auto_only, expected);
  in_child(451, ENOSYS, auto_only, expected);  // cachestat
  in_child(SYS_readahead, EINVAL, plain_only, expected);
  cold_and_warm(expected);
  missing_dependency();
  CHECK(world_leaked(&before) == 0);
  return check_verdict();
}
