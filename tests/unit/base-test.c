// SPDX-License-Identifier: MIT
//
// base: bounded reading, growing arrays, errors, hashes.
#include "base/array.h"
#include "base/hash.h"
#include "base/reader.h"
#include "tests/unit/check.h"

#include <errno.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;

// ---- reader

static void reader_bounds(void)
{
  _Alignas(8) uint8_t bytes[64];
  struct reader reader = {.file = "file", .origin = 0x1000, .bytes = {bytes, sizeof bytes}, .error = &error};
  const void *array = NULL;
  CHECK_OK(reader_array(&reader, "array", 8, 7, 8, 8, &array), &error);
  CHECK(array == bytes + 8);
  CHECK_OK(reader_array(&reader, "nothing at the end", 64, 0, 8, 8, &array), &error);
  CHECK_STATUS(reader_array(&reader, "one too many", 8, 8, 8, 8, &array), PKGIMG_TRUNCATED, &error);
  CHECK(error.offset == 0x1008 && error.expected == 64 && error.found == 56);
  CHECK_STATUS(reader_array(&reader, "behind", 65, 0, 1, 1, &array), PKGIMG_TRUNCATED, &error);
  CHECK_STATUS(reader_array(&reader, "product wraps", 0, UINT64_MAX / 4, 8, 1, &array), PKGIMG_TRUNCATED, &error);
  CHECK_STATUS(reader_array(&reader, "product wraps to 0", 0, 1ull << 61, 8, 1, &array), PKGIMG_TRUNCATED, &error);
  CHECK_STATUS(reader_array(&reader, "sum wraps", UINT64_MAX - 7, 2, 8, 1, &array), PKGIMG_TRUNCATED, &error);
  CHECK_STATUS(reader_array(&reader, "crooked", 4, 1, 8, 8, &array), PKGIMG_MALFORMED, &error);
  CHECK(strstr(error.text, "crooked") && strstr(error.text, "file: at offset 0x1004"));
}

static void reader_copies(void)
{
  uint8_t bytes[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  struct reader reader = {.file = "file", .bytes = {bytes, sizeof bytes}, .error = NULL};
  uint64_t word = 0;
  CHECK_OK(reader_copy(&reader, "word", 1, &word, sizeof word), &error);
  CHECK(word == 0x0807060504030201ull);
  CHECK(reader_copy(&reader, "word", 2, &word, sizeof word) == PKGIMG_TRUNCATED);
}

static void strings(void)
{
  static const char text[] = "\0first\0last";
  struct span table = {(const uint8_t *)text, sizeof text};
  CHECK(strcmp(span_string(table, 1), "first") == 0);
  CHECK(strcmp(span_string(table, 7), "last") == 0);
  CHECK(strcmp(span_string(table, 11), "") == 0);
  CHECK(!span_string(table, 12) && !span_string(table, UINT64_MAX));
  table.size--;  // no NUL at the end
  CHECK(!span_string(table, 7) && span_string(table, 1));
  CHECK(!span_string((struct span){NULL, 0}, 0));
}

static void ranges(void)
{
  CHECK(range_within(0, 0, 0) && range_within(3, 4, 7) && range_within(7, 0, 7));
  CHECK(!range_within(3, 5, 7) && !range_within(8, 0, 7) && !range_within(UINT64_MAX, 2, 7));
  CHECK(!range_within(1, UINT64_MAX, 7));
}

// ---- arrays

static void arrays(void)
{
  uint32_t *items = NULL;
  size_t capacity = 0;
  for (uint32_t i = 0; i < 1000; i++) {
    if (!CHECK_OK(array_reserve(&items, &capacity, i, sizeof *items, &error), &error))
      break;
    items[i] = i * i;
  }
  CHECK(capacity >= 1000 && items[999] == 999 * 999);
  void *huge = NULL;
  size_t most = SIZE_MAX / 16;
  CHECK(array_reserve(&huge, &most, most, 64, &error) == PKGIMG_NO_MEMORY && !huge && most == SIZE_MAX / 16);
  free(items);
}

static void buffers(void)
{
  struct buffer buffer = {0};
  CHECK_OK(buffer_append(&buffer, NULL, 0, &error), &error);
  CHECK(!buffer.data);
  CHECK_OK(buffer_append(&buffer, "abc", 3, &error), &error);
  CHECK_OK(buffer_align(&buffer, 8, &error), &error);
  CHECK_OK(buffer_align(&buffer, 8, &error), &error);
  CHECK(buffer.size == 8 && memcmp(buffer.data, "abc\0\0\0\0\0", 8) == 0);
  CHECK(buffer_append(&buffer, "x", SIZE_MAX - 4, &error) == PKGIMG_NO_MEMORY);
  CHECK(buffer.size == 8 && memcmp(buffer.data, "abc", 3) == 0);
  buffer_deinit(&buffer);
  CHECK(!buffer.data && !buffer.size && !buffer.capacity);
  buffer_deinit(&buffer);
}

static void string_lists(void)
{
  struct string_list list = {0};
  for (int i = 0; i < 40; i++)
    CHECK_OK(string_list_add(&list, &error, "item %d", i), &error);
  CHECK(list.count == 40 && strcmp(list.items[39], "item 39") == 0 && list.items[40] == NULL);
  string_list_deinit(&list);
  CHECK(list.count == 0 && !list.items);
  string_list_deinit(&list);
}

// ---- errors

static void errors(void)
{
  CHECK(fail(NULL, PKGIMG_MALFORMED, "file", "text") == PKGIMG_MALFORMED);
  CHECK(fail_name(&error, PKGIMG_CYCLE, "f.so", "name", "%d", 5) == PKGIMG_CYCLE);
  CHECK(strcmp(error.text, "f.so: name: 5") == 0 && strcmp(error.name, "name") == 0 &&
        error.status == PKGIMG_CYCLE);
  CHECK(error.offset == PKGIMG_NO_OFFSET && error.os_error == 0);
  CHECK(fail_at(&error, PKGIMG_MALFORMED, "f.so", 0x40, "what", 2, 1) == PKGIMG_MALFORMED);
  CHECK(strcmp(error.text, "f.so: at offset 0x40: what: expected 2, found 1") == 0);
  errno = ENOENT;
  CHECK(fail_system(&error, "f.so", "open") == PKGIMG_NOT_FOUND && error.os_error == ENOENT);
  errno = ENOMEM;
  CHECK(fail_system(&error, "f.so", "mmap") == PKGIMG_NO_MEMORY);
  errno = EACCES;
  CHECK(fail_system(NULL, "f.so", "open") == PKGIMG_SYSTEM);
}

// Of a path that is too long, the end is kept; nothing overflows.
static void long_texts(void)
{
  char path[2000];
  memset(path, 'p', sizeof path);
  memcpy(path + sizeof path - 9, "/file.so", 9);
  CHECK(fail_name(&error, PKGIMG_MALFORMED, path, path, "%s", path) == PKGIMG_MALFORMED);
  CHECK(strlen(error.file) == sizeof error.file - 1 &&
        strcmp(error.file + strlen(error.file) - 8, "/file.so") == 0);
  CHECK(strlen(error.name) == sizeof error.name - 1 && strlen(error.text) == sizeof error.text - 1);
}

static void status_names(void)
{
  for (int i = 0; i < PKGIMG_STATUS_COUNT; i++)
    CHECK(strcmp(pkgimg_status_name(i), "UNKNOWN") != 0);
  CHECK(strcmp(pkgimg_status_name(PKGIMG_STATUS_COUNT), "UNKNOWN") == 0);
  CHECK(strcmp(pkgimg_status_name(-1), "UNKNOWN") == 0);
}

// ---- hashes

// In pieces of every size, the result is that of the whole; zeros count as the bytes that they are.
static void hashes(void)
{
  uint8_t bytes[3000] = {0}, whole[16], pieces[16];
  for (size_t i = 0; i < 2000; i++)
    bytes[i] = (uint8_t)(i * 7 + i / 256);
  for (size_t cut = 0; cut <= 2000; cut += 97) {
    struct hash128 *one = hash128_create(), *two = hash128_create();
    hash128_add(one, bytes, sizeof bytes);
    hash128_add(two, bytes, cut);
    hash128_add(two, bytes + cut, 2000 - cut);
    hash128_add_zeros(two, 1000);
    hash128_result(one, whole);
    hash128_result(two, pieces);
    CHECK(memcmp(whole, pieces, 16) == 0);
    hash128_destroy(one);
    hash128_destroy(two);
  }
  // XXH3 is specified: the empty input has this hash.
  CHECK(hash64("", 0) == 0x2d06800538d394c2ull && hash64_seeded("", 0, 0) == hash64("", 0));
  CHECK(hash64_seeded(bytes, 100, 1) != hash64(bytes, 100));
}

int main(void)
{
  reader_bounds();
  reader_copies();
  strings();
  ranges();
  arrays();
  buffers();
  string_lists();
  errors();
  long_texts();
  status_names();
  hashes();
  return check_verdict();
}
