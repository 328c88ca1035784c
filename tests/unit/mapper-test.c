// SPDX-License-Identifier: MIT
//
// mapper: regions and slots, protections before and after sealing, files that are too short, and what is
// mapped when something fails: nothing.
#include "mapper/heap.h"
#include "mapper/mapper.h"
#include "mapper/prefetch.h"
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;
static struct map_counts counts;
static struct world before, now;

static struct region *region_of(uint64_t size, bool search)
{
  struct region *region = NULL;
  CHECK_OK(region_create(size, search, 0, &region, &counts, &error), &error);
  return region;
}

static bool has_protection(const uint8_t *start, uint64_t size, const char *expected)
{
  world_look(&now);
  return strncmp(world_protection(&now, (uint64_t)start, size), expected, strlen(expected)) == 0;
}

// ---- slots

static void slots(bool search)
{
  struct region *region = region_of(3 * FORMAT_PAGE, search);
  struct slot one = slot_take(region, FORMAT_PAGE), two = slot_take(region, 2 * FORMAT_PAGE);
  CHECK(slot_at(&two, 100) == slot_at(&one, 100) + FORMAT_PAGE);
  CHECK(slot_at(&one, FORMAT_W_START) == slot_at(&one, FORMAT_L_START) + (FORMAT_W_START - FORMAT_L_START));
  CHECK(slot_base(&one) == (uint64_t)slot_at(&one, 0) && slot_base(&one) % FORMAT_PAGE == 0);
  uint8_t *constants = slot_at(&one, FORMAT_L_START), *data = slot_at(&one, FORMAT_W_START);
  CHECK(has_protection(constants, 3 * FORMAT_PAGE, "rw-p") && has_protection(data, 3 * FORMAT_PAGE, "rw-p"));
  CHECK(constants[0] == 0 && data[3 * FORMAT_PAGE - 1] == 0);
  constants[0] = 1;
  CHECK_OK(region_seal(region, &counts, &error), &error);
  CHECK(has_protection(constants, 3 * FORMAT_PAGE, "r--p") && has_protection(data, 3 * FORMAT_PAGE, "rw-p"));
  region_drop(region);
  slot_release(&one);
  CHECK(has_protection(data + FORMAT_PAGE, 2 * FORMAT_PAGE, "rw-p") && !has_protection(data, FORMAT_PAGE, "rw-p"));
  slot_release(&two);
  CHECK(world_leaked(&before) == 0);
}

static void slots_not_given_out(void)
{
  struct region *region = region_of(64 * FORMAT_PAGE, false);
  struct slot one = slot_take(region, FORMAT_PAGE);
  uint8_t *data = slot_at(&one, FORMAT_W_START);
  region_drop(region);
  CHECK(has_protection(data, FORMAT_PAGE, "rw-p"));
  world_look(&now);
  CHECK(strcmp(world_protection(&now, (uint64_t)data, 2 * FORMAT_PAGE), "rw-p") != 0);
  slot_release(&one);
  region_drop(NULL);
  CHECK(world_leaked(&before) == 0);
}

static void sizes(void)
{
  struct disk_geometry geometry = {0};
  CHECK(slot_size(&geometry) == FORMAT_PAGE);
  geometry.areas[AREA_X].memory_size = FORMAT_PAGE + 1;
  geometry.areas[AREA_W].memory_size = 10;
  CHECK(slot_size(&geometry) == 2 * FORMAT_PAGE);
  struct region *region = NULL;
  CHECK(region_create(1ull << 60, false, 0, &region, &counts, &error) == PKGIMG_NO_MEMORY && !region);
  CHECK(region_create(1ull << 60, true, 0, &region, &counts, &error) != PKGIMG_OK && !region);
}

// ---- files

enum { FILE_PAGES = 5, TABLES = 64 };

// Pages that tell their number; L is a page and a part of one, with filling behind it.
static void write_file(const char *name, uint64_t size)
{
  uint8_t bytes[(FILE_PAGES + 1) * FORMAT_PAGE];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(0x10 + i / FORMAT_PAGE);
  write_all(scratch_path(name), bytes, size);
}

static const struct disk_geometry geometry = {
    .areas = {{0, FORMAT_PAGE, 0, FORMAT_PAGE},
              {FORMAT_PAGE, FORMAT_PAGE, FORMAT_PAGE, FORMAT_PAGE},
              {FORMAT_L_START, 2 * FORMAT_PAGE, 2 * FORMAT_PAGE, FORMAT_PAGE + 1024},
              {FORMAT_W_START, 3 * FORMAT_PAGE, 4 * FORMAT_PAGE, 512}},
    .tables_offset = 4 * FORMAT_PAGE + 512,
    .tables_size = TABLES,
};

static enum pkgimg_status map_file(const char *name, struct slot *slot, uint8_t tables[TABLES])
{
  struct image_handle handle = {.fd = -1};
  CHECK_OK(image_open(AT_FDCWD, scratch_path(name), "a file", &handle, &counts, &error), &error);
  enum pkgimg_status status = image_map(&handle, &geometry, slot, tables, &counts, &error);
  image_close(&handle, &counts);
  return status;
}

static void whole_file(void)
{
  _Alignas(8) uint8_t tables[TABLES];
  struct region *region = region_of(4 * FORMAT_PAGE, true);
  struct slot slot = slot_take(region, 4 * FORMAT_PAGE);
  write_file("whole", geometry.tables_offset + TABLES);
  CHECK_OK(map_file("whole", &slot, tables), &error);
  CHECK(*slot_at(&slot, 0) == 0x10 && *slot_at(&slot, FORMAT_PAGE) == 0x11);
  CHECK(*slot_at(&slot, FORMAT_L_START) == 0x12 && slot_at(&slot, FORMAT_L_START)[FORMAT_PAGE + 1023] == 0x13);
  CHECK(slot_at(&slot, FORMAT_W_START)[512] == 0);
  CHECK(slot_at(&slot, FORMAT_W_START)[511] == 0x14 && tables[0] == 0x14 && tables[TABLES - 1] == 0x14);
  CHECK(has_protection(slot_at(&slot, 0), 2 * FORMAT_PAGE, "r-xp"));
  CHECK(!world_has_writable_code(&now));
  image_unmap(&geometry, &slot);
  slot_release(&slot);
  region_drop(region);
  CHECK(world_leaked(&before) == 0);
}

// One byte less than it takes, and much less.
static void short_files(void)
{
  _Alignas(8) uint8_t tables[TABLES];
  for (uint64_t size = 0; size < geometry.tables_offset + TABLES; size += size < 100 ? 50 : 677) {
    struct region *region = region_of(4 * FORMAT_PAGE, true);
    struct slot slot = slot_take(region, 4 * FORMAT_PAGE);
    write_file("short", size);
    CHECK_STATUS(map_file("short", &slot, tables), PKGIMG_TRUNCATED, &error);
    CHECK(strstr(error.text, "a file") && error.found < error.expected);
    slot_release(&slot);
    region_drop(region);
    CHECK(world_leaked(&before) == 0);
  }
}

// Something lies where X should go: it stays as it is, and R is gone again.
static void occupied(void)
{
  _Alignas(8) uint8_t tables[TABLES];
  struct region *region = region_of(4 * FORMAT_PAGE, true);
  struct slot slot = slot_take(region, 4 * FORMAT_PAGE);
  uint8_t *place = slot_at(&slot, FORMAT_PAGE);
  void *other =
      mmap(place, FORMAT_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (CHECK(other == place)) {
    *place = 99;
    CHECK_STATUS(map_file("whole", &slot, tables), PKGIMG_BUSY, &error);
    CHECK(*place == 99);
    munmap(other, FORMAT_PAGE);
  }
  slot_release(&slot);
  region_drop(region);
  CHECK(world_leaked(&before) == 0);
}

static void reading(void)
{
  struct image_handle handle = {.fd = -1};
  uint8_t bytes[100];
  size_t got = 0;
  write_file("read", 60);
  CHECK_OK(image_open(AT_FDCWD, scratch_path("read"), "a file", &handle, &counts, &error), &error);
  CHECK_OK(image_pread(&handle, bytes, 100, 0, &got, &counts, &error), &error);
  CHECK(got == 60 && bytes[59] == 0x10);
  CHECK_STATUS(image_pread(&handle, bytes, 100, 0, NULL, &counts, &error), PKGIMG_TRUNCATED, &error);
  CHECK(error.expected == 100 && error.found == 60);
  CHECK_OK(image_pread(&handle, bytes, 10, 50, NULL, &counts, &error), &error);
  CHECK_STATUS(image_pread(&handle, bytes, 10, 1000, NULL, &counts, &error), PKGIMG_TRUNCATED, &error);
  image_close(&handle, &counts);
  CHECK(handle.fd == -1);
  CHECK_STATUS(image_pread(&handle, bytes, 10, 0, NULL, &counts, &error), PKGIMG_SYSTEM, &error);
  image_close(&handle, &counts);
}

// ---- H

static struct disk_heap heap_of(uint64_t pages)
{
  return (struct disk_heap){
      .file_offset = FORMAT_PAGE, .stored_size = pages * FORMAT_PAGE, .size = pages * FORMAT_PAGE};
}

// From a quarter of the pages on it is cheaper to read them all, if they are enough for a huge page.
static void ways_to_a_heap(void)
{
  struct disk_heap small = heap_of(16), large = heap_of(4 * FORMAT_HEAP_ALIGN / FORMAT_PAGE);
  small.dirty_pages = 16;
  large.dirty_pages = large.size / FORMAT_PAGE / 4;
  CHECK(heap_way(&small) == HEAP_MAPPED && heap_way(&large) == HEAP_MAPPED);
  large.dirty_pages++;
  CHECK(heap_way(&large) == HEAP_READ);
  small.compression = HEAP_ZSTD;
  CHECK(heap_way(&small) == HEAP_READ);
}

// In two pieces, of which the second begins where the first ended.
static void fill(const struct image_handle *handle, const struct disk_heap *heap, uint8_t *memory)
{
  struct heap_source *source = heap_source_create(handle, heap, &counts, &error);
  if (!CHECK(source && memory[0] == 0 && memory[heap->size - 1] == 0))
    return;
  CHECK_OK(heap_source_read(source, memory, 8), &error);
  CHECK(memory[7] == 0x11 && memory[8] == 0);
  CHECK_OK(heap_source_read(source, memory + 8, heap->size - 8), &error);
  CHECK_OK(heap_source_end(source), &error);
  heap_source_destroy(source);
}

static void heap_in_memory(const struct image_handle *handle, enum heap_way way)
{
  struct disk_heap heap = heap_of(3);
  uint8_t *memory = NULL, *second = NULL, *other = NULL;
  if (!CHECK_OK(heap_map(handle, &heap, way, 0, &memory, &counts, &error), &error))
    return;
  CHECK((uint64_t)memory % FORMAT_HEAP_ALIGN == 0 && has_protection(memory, heap.size, "rw-p"));
  if (way == HEAP_READ)
    fill(handle, &heap, memory);
  CHECK(memory[0] == 0x11 && memory[FORMAT_PAGE] == 0x12 && memory[heap.size - 1] == 0x13);
  memory[1] = 99;  // not in the file
  CHECK_OK(heap_map(handle, &heap, HEAP_MAPPED, 0, &second, &counts, &error), &error);
  CHECK(second != memory && second[1] == 0x11);
  CHECK_STATUS(heap_map(handle, &heap, way, (uint64_t)memory, &other, &counts, &error), PKGIMG_BUSY, &error);
  CHECK(!other && memory[1] == 99);
  heap_unmap(memory, heap.size);
  CHECK_OK(heap_map(handle, &heap, way, (uint64_t)memory, &other, &counts, &error), &error);
  CHECK(other == memory);
  heap_unmap(other, heap.size);
  heap_unmap(second, heap.size);
  heap_unmap(NULL, heap.size);
  CHECK(world_leaked(&before) == 0);
}

// The file ends within the heap, or before it.
static void short_heaps(const struct image_handle *handle)
{
  uint8_t *memory = NULL;
  struct disk_heap heaps[] = {heap_of(4), heap_of(1ull << 30), heap_of(1)};
  heaps[2].file_offset = 1ull << 40;
  for (int i = 0; i < 3; i++)
    for (int way = HEAP_MAPPED; way <= HEAP_READ; way++) {
      CHECK_STATUS(heap_map(handle, &heaps[i], (enum heap_way)way, 0, &memory, &counts, &error), PKGIMG_TRUNCATED,
                   &error);
      CHECK(!memory && strstr(error.text, "a file"));
    }
}

static void heaps(void)
{
  struct image_handle handle;
  write_file("heap", 4 * FORMAT_PAGE + 100);
  CHECK_OK(image_open(AT_FDCWD, scratch_path("heap"), "a file", &handle, &counts, &error), &error);
  world_look(&before);
  ways_to_a_heap();
  heap_in_memory(&handle, HEAP_MAPPED);
  heap_in_memory(&handle, HEAP_READ);
  short_heaps(&handle);
  CHECK(world_leaked(&before) == 0);
  image_close(&handle, &counts);
  world_look(&before);
}

// ---- opening

static void opening(void)
{
  struct image_handle handle = {.fd = -1};
  int folder = folder_open(scratch_folder(), &counts);
  CHECK(folder >= 0);
  CHECK_OK(image_open(folder, "read", "read", &handle, &counts, &error), &error);
  image_close(&handle, &counts);
  CHECK_STATUS(image_open(folder, "absent", "absent", &handle, &counts, &error), PKGIMG_NOT_FOUND, &error);
  CHECK(handle.fd == -1);
  CHECK(mkfifo(scratch_path("pipe"), 0600) == 0);
  // A pipe does not hold us up, and has no bytes at an offset.
  if (image_open(folder, "pipe", "pipe", &handle, &counts, &error) == PKGIMG_OK) {
    uint8_t byte;
    CHECK(image_pread(&handle, &byte, 1, 0, NULL, &counts, &error) != PKGIMG_OK);
    image_close(&handle, &counts);
  }
  folder_close(folder, &counts);
  folder_close(-1, &counts);
  CHECK(folder_open(scratch_path("absent"), &counts) < 0);
}

static void close_all(struct prefetch_file *files, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (files[i].fd >= 0)
      image_close(&(struct image_handle){.fd = files[i].fd}, &counts);
}

// Files that are not there are left out, whoever fetches.
static void prefetching(void)
{
  const char *names[] = {scratch_path("whole"), scratch_path("absent"), scratch_path("read")};
  for (int ring = 0; ring <= 1; ring++) {
    struct prefetch_file files[200];
    for (int i = 0; i < 200; i++)
      files[i] = (struct prefetch_file){.at = AT_FDCWD, .name = names[i % 3], .size = 60, .fd = -1};
    size_t done = ring ? prefetch_ring(files, 200, &counts) : prefetch_plain(files, 200, &counts);
    CHECK(ring ? done == 133 || done == 0 : done == 133);
    if (done)
      for (int i = 0; i < 200; i++)
        CHECK((files[i].fd >= 0) == (i % 3 != 1));
    close_all(files, 200);
  }
  CHECK(!prefetch_is_cold(-1, 4096, &counts));
  CHECK(world_leaked(&before) == 0);
}

int main(void)
{
  printf("in %s\n", scratch_folder());
  world_look(&before);
  slots(false);
  slots(true);
  slots_not_given_out();
  sizes();
  whole_file();
  short_files();
  occupied();
  reading();
  heaps();
  opening();
  prefetching();
  CHECK(counts.system_calls > 0 && counts.mappings > 0 && counts.bytes_read > 0);
  return check_verdict();
}
