// SPDX-License-Identifier: MIT
//
// Bundles with wrong fields. A load hashes the header alone, so whatever else it uses must stand a check where it
// is used.
#include "base/hash.h"
#include "format/bundle_view.h"
#include "tests/should_fail/bundle_cases.h"
#include "tests/should_fail/expect.h"
#include "tests/should_fail/forge.h"
#include "tests/should_fail/groups.h"
#include "tests/should_fail/rows.h"

#include <fcntl.h>
#include <pkgimg/bind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct forged {
  uint8_t *bytes;
  size_t size;
  struct bundle_header *head;
};

static struct forged take(const char *path)
{
  struct forged forged;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  off_t size = lseek(fd, 0, SEEK_END);
  forged.size = (size_t)size;
  forged.bytes = malloc(forged.size);
  if (fd < 0 || size <= 0 || !forged.bytes || pread(fd, forged.bytes, forged.size, 0) != size)
    abort();
  close(fd);
  forged.head = (struct bundle_header *)(void *)forged.bytes;
  return forged;
}

static void seal(const struct forged *forged)
{
  struct bundle_header *head = forged->head;
  struct hash128 *hash = hash128_create();
  if (!hash)
    abort();
  memset(head->build_id, 0, sizeof head->build_id);
  head->hash = 0;
  hash128_add(hash, forged->bytes, forged->size);
  hash128_result(hash, head->build_id);
  hash128_destroy(hash);
  head->hash = hash64(forged->bytes + BUNDLE_HASHED, sizeof *head - BUNDLE_HASHED);
}

static uint64_t entry(const struct bundle_table *table, uint64_t index, size_t size)
{
  return table->offset + index * size;
}

// The first gate that has a place in a library, so that a load believes it.
static uint64_t placed_gate(const struct forged *forged)
{
  const struct bundle_table *table = &forged->head->gates;
  const struct bundle_gate *gates = (const struct bundle_gate *)(void *)(forged->bytes + table->offset);
  for (uint64_t i = 0; i < table->count; i++)
    if (gates[i].library)
      return entry(table, i, sizeof *gates);
  abort();
}

static uint64_t used_entry(const struct forged *forged, const struct bundle_table *index)
{
  const uint32_t *numbers = (const uint32_t *)(void *)(forged->bytes + index->offset);
  uint64_t i = 0;
  while (numbers[i] == BUNDLE_NONE)
    i++;
  return entry(index, i, sizeof *numbers);
}

static uint64_t first_type_word(const struct forged *forged, const struct bundle_image *image)
{
  const struct disk_types *types = (const struct disk_types *)(void *)(forged->bytes + image->types.offset);
  const struct bundle_block_at *block =
      &forged->head->blocks[image->offset / BUNDLE_STRIDE * BLOCK_COUNT + BLOCK_L];
  return block->file_offset + image->offset % BUNDLE_STRIDE + types->type_words.address - FORMAT_L_START;
}

static uint64_t place_of(const struct forged *forged, enum part part)
{
  const struct bundle_header *head = forged->head;
  uint64_t main_image = entry(&head->images, head->main_image, sizeof(struct bundle_image));
  const struct bundle_image *image = (const struct bundle_image *)(void *)(forged->bytes + main_image);
  const uint64_t places[] = {
      [IN_HEADER] = 0,
      [IN_IMAGE] = main_image,
      [IN_FIRST_IMAGE] = head->images.offset,
      [IN_ORDER] = head->order.offset,
      [IN_STRINGS] = head->strings.offset,
      [IN_NAMES] = head->names.offset,
      [IN_IDS] = head->ids.offset,
      [IN_GATE] = placed_gate(forged),
      [IN_GATE_USE] = head->gate_uses.offset,
      [IN_IMPORT] = head->imports.offset,
      [IN_RESIDUAL] = entry(&head->residuals, image->residuals.first, sizeof(struct bundle_residual)),
      [IN_DEPENDENCY] = entry(&head->dependencies, image->dependencies.first, 4),
      [IN_BODY] = head->bodies.offset,
      [IN_BODY_SYMBOL] = head->body_symbols.offset,
      [IN_LIBRARY] = head->libraries.offset,
      [IN_UNWIND] = head->unwind.offset,
      [IN_THUNK] = head->slots,
      [IN_PLACE] = head->places.offset,
      [IN_TYPE] = head->types.offset,
      [IN_STATEMENT] = head->statements.offset,
      [IN_TYPE_NUMBER] = entry(&head->type_numbers, image->first_type, 4),
      [IN_TYPE_ID] = used_entry(forged, &head->type_ids),
      [IN_CHUNK] = head->blocks[BLOCK_W].file_offset + head->type_chunks,
      [IN_TYPE_WORD] = first_type_word(forged, image),
  };
  return places[part];
}

static unsigned run_case(const struct bundle_case *row, const char *good, const char *path)
{
  struct forged forged = take(good);
  memcpy(forged.bytes + place_of(&forged, row->part) + row->offset, &row->value, row->size);
  seal(&forged);
  file_write(path, forged.bytes, forged.size);
  struct expectation verify = {row->name, row->verify, row->text};
  struct expectation load = {row->name, row->load, row->verify == row->load ? row->text : NULL};
  unsigned failures = !expect_verify(&verify, path);
  failures += !expect_load(&load, path, PKGIMG_PREFETCH_NONE);
  free(forged.bytes);
  return failures;
}

// ---- cut, and damaged at random

static unsigned run_cuts(const char *good, const char *path)
{
  struct forged forged = take(good);
  const size_t sizes[] = {8,        16,       sizeof *forged.head - 1, sizeof *forged.head, FORMAT_PAGE, 0x10000,
                          forged.size / 2, forged.size - 1};
  unsigned failures = 0;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    char name[64];
    snprintf(name, sizeof name, "cut to %zu bytes", sizes[i]);
    struct expectation expected = {name, TRUNCATED, "bundle"};
    file_write(path, forged.bytes, sizes[i]);
    failures += !expect_verify(&expected, path) + !expect_load(&expected, path, PKGIMG_PREFETCH_NONE);
  }
  free(forged.bytes);
  return failures;
}

static unsigned run_unsealed(const char *good, const char *path)
{
  struct forged forged = take(good);
  struct expectation header = {"a bit of the header", MISMATCH, "hash of the bundle's header"};
  struct expectation code = {"a bit of the code", MISMATCH, "build id"}, none = {"a bit of the code", OK, NULL};
  forged.head->base ^= 0x200000;
  file_write(path, forged.bytes, forged.size);
  unsigned failures = !expect_verify(&header, path) + !expect_load(&header, path, PKGIMG_PREFETCH_NONE);
  forged.head->base ^= 0x200000;
  forged.bytes[forged.size - 1] ^= 1;
  file_write(path, forged.bytes, forged.size);
  failures += !expect_verify(&code, path) + !expect_load(&none, path, PKGIMG_PREFETCH_NONE);
  free(forged.bytes);
  return failures;
}

// Whatever stands in these bytes, a load and questions about types end with a status.
static unsigned run_random(const char *good, const char *path, uint64_t first, uint64_t last)
{
  enum { TIMES = 400 };
  struct forged forged = take(good);
  uint64_t state = 1;
  unsigned accepted = 0, failures = 0;
  for (int i = 0; i < TIMES; i++) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    uint64_t at = first + (state >> 33) % (last - first);
    uint8_t old = forged.bytes[at];
    forged.bytes[at] = i & 1 ? 0xff : (uint8_t)(old ^ 1u << (state >> 20 & 7));
    struct bundle_header head;
    struct bundle_view view;
    struct pkgimg_error error = {0};
    struct reader reader = {.file = path, .bytes = {forged.bytes, forged.size}, .error = &error};
    if (i % 8 == 0 && forged.bytes[at] != old && bundle_file_read(&reader, &head, &view) == OK)
      failures += (unsigned)printf("byte %llu: verify did not notice\n", (unsigned long long)at) > 0;
    file_write(path, forged.bytes, forged.size);
    enum pkgimg_status status = try_load(path, &error);
    accepted += status == OK;
    failures += status != OK && !error_is_complete("damaged", &error);
    forged.bytes[at] = old;
  }
  printf("%u of %d damaged bundles were loaded\n", accepted, TIMES);
  free(forged.bytes);
  return failures;
}

// ---- images that lie about their types

static struct disk_type_key *keys_of(const struct forgery *forgery)
{
  const struct disk_tables *tables = forgery_tables(forgery);
  uint8_t *types = (uint8_t *)(uintptr_t)tables + tables->types.offset;
  return (struct disk_type_key *)(void *)(types + ((struct disk_types *)(void *)types)->keys.offset);
}

// Two types of one id: of the same supertype, and of another.
static unsigned run_liars(const char *folder, const char *work)
{
  static const struct {
    unsigned other;
    enum pkgimg_status status;
    const char *text;
  } liars[] = {{1, MALFORMED, "stated twice"}, {2, MISMATCH, "same id with another supertype"}};
  char path[PATH_MAX], output[PATH_MAX];
  unsigned failures = 0;
  snprintf(path, sizeof path, "%s/full.so", work);
  snprintf(output, sizeof output, "%s/liar.bundle", work);
  for (size_t i = 0; i < sizeof liars / sizeof *liars; i++) {
    struct forgery forgery = forgery_read(image_path(folder, "full"));
    struct disk_type_key *keys = keys_of(&forgery);
    memcpy(keys[liars[i].other].id, keys[0].id, sizeof keys->id);
    forgery_seal(&forgery, SEAL_ALL);
    forgery_write(&forgery, path);
    forgery_deinit(&forgery);
    const char *images[] = {path};
    struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
    struct pkgimg_error error = {0};
    options.output = output;
    options.images = images;
    options.image_count = 1;
    options.search_path = &folder;
    options.search_path_count = 1;
    enum pkgimg_status status = pkgimg_bind(&options, NULL, &error);
    unlink(path);  // a bundle beside it would take it for its main image
    if (status != liars[i].status || !strstr(error.text, liars[i].text) || access(output, F_OK) == 0)
      failures += (unsigned)printf("%s: bound: %s\n", liars[i].text, error.text) > 0;
  }
  return failures;
}

unsigned run_bundles(const struct folders *folders)
{
  char good[PATH_MAX], path[PATH_MAX];
  const char *images[] = {image_path(folders->good, "many-top"), image_path(folders->good, "full")};
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  struct pkgimg_error error;
  snprintf(good, sizeof good, "%s/good.bundle", folders->work);
  snprintf(path, sizeof path, "%s/forged.bundle", folders->work);
  options.output = good;
  options.images = images;
  options.image_count = 2;
  options.base = 0x200012200000;
  options.reach = 0x10000;
  struct pkgimg_bind_report report;
  if (pkgimg_bind(&options, &report, &error) != PKGIMG_OK)
    return (unsigned)printf("%s\n", error.text);
  if (report.regions != 2)
    return (unsigned)printf("the good bundle has %u regions\n", (unsigned)report.regions);
  struct expectation fine = {"the good bundle", OK, NULL};
  unsigned failures = !expect_verify(&fine, good) + !expect_load(&fine, good, PKGIMG_PREFETCH_NONE);
  for (size_t i = 0; i < bundle_case_count; i++)
    failures += run_case(&bundle_cases[i], good, path);
  struct forged forged = take(good);
  uint64_t chunk = place_of(&forged, IN_CHUNK), objects = bundle_chunks_size(forged.head->types.count);
  failures += run_random(good, path, sizeof *forged.head, forged.head->slots) +
              run_random(good, path, chunk, chunk + objects);
  free(forged.bytes);
  failures += run_liars(folders->good, folders->work);
  return failures + run_cuts(good, path) + run_unsealed(good, path);
}
