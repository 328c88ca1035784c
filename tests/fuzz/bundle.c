// SPDX-License-Identifier: MIT
//
// Fuzz target: a bundle (tests/fuzz/bundle.h), checked whole, in memory; all that a checked view promises; then
// opened from a file without running its code, each of its images looked at. Nothing may stay mapped.
#include "tests/fuzz/bundle.h"
#include "base/hash.h"
#include "format/bundle_view.h"
#include "tests/fuzz/loading.h"
#include "tests/should_fail/ask_types.h"
#include "tests/should_fail/watch.h"

#include <pkgimg/inspect.h>
#include <pkgimg/pkgimg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t total;  // so that nothing is optimised away

static char path[80];

// Objects of types lie in another block than what an input has; they are good ones without ids, then.
static void seal_chunks(uint8_t *bytes, size_t size, const struct bundle_header *head)
{
  uint64_t start = head->blocks[BLOCK_W].file_offset + head->type_chunks,
           origin = head->base + bundle_origin(head);
  for (uint64_t i = 0; i < head->types.count && i < BUNDLE_MAX_TYPES; i++) {
    uint64_t chunk = start + i / BUNDLE_CHUNK_TYPES * BUNDLE_CHUNK_SIZE,
             used = bundle_chunks_size(i % BUNDLE_CHUNK_TYPES + 1);
    if (chunk % 8 || !range_within(chunk, used, size))
      return;
    struct bundle_type_chunk *objects = (struct bundle_type_chunk *)(void *)(bytes + chunk);
    objects->origin = origin;
    objects->types[i % BUNDLE_CHUNK_TYPES].facts = BUNDLE_TYPE_FACTS + i;
  }
}

static void seal(uint8_t *bytes, size_t size)
{
  struct bundle_header *head = (struct bundle_header *)(void *)bytes;
  struct hash128 *hash = hash128_create();
  if (!hash)
    abort();
  seal_chunks(bytes, size, head);
  memset(head->build_id, 0, sizeof head->build_id);
  head->hash = 0;
  hash128_add(hash, bytes, size);
  hash128_result(hash, head->build_id);
  hash128_destroy(hash);
  head->hash = hash64(bytes + BUNDLE_HASHED, sizeof *head - BUNDLE_HASHED);
}

// ---- in memory

static void use_string(struct bundle_view view, uint32_t offset)
{
  total += strlen(bundle_string(view, offset));
}

static void use_symbols(struct bundle_view view, const struct bundle_table *table)
{
  const struct bundle_gate *symbols = bundle_table(view, table);
  for (uint64_t i = 0; i < table->count; i++) {
    use_string(view, symbols[i].name);
    use_string(view, symbols[i].version);
  }
}

// What a checked image refers to is there; it is found by its name and its build id.
static void use_image(struct bundle_view view, uint32_t index)
{
  const struct bundle_image *image = bundle_image(view, index);
  const uint32_t *dependencies = bundle_table(view, &view.head->dependencies);
  const uint32_t *uses = bundle_table(view, &view.head->gate_uses);
  const struct disk_root *roots = bundle_table(view, &view.head->roots);
  if (bundle_find_name(view, bundle_string(view, image->name)) != index ||
      bundle_find_id(view, image->geometry.build_id) != index || !*bundle_string(view, image->path))
    abort();
  for (uint32_t i = 0; i < image->dependencies.count; i++)
    if (dependencies[image->dependencies.first + i] >= index)
      abort();
  for (uint32_t i = 0; i < image->gates.count; i++)
    if (uses[image->gates.first + i] >= view.head->gates.count)
      abort();
  for (uint32_t i = 0; i < image->roots.count; i++)
    use_string(view, roots[image->roots.first + i].name);
  for (uint64_t i = 0; i < image->types.count; i++)
    total += view.code[image->types.offset + i];
}

static void read_bundle(const uint8_t *bytes, size_t size)
{
  struct pkgimg_error error;
  struct bundle_header head;
  struct bundle_view view;
  struct reader reader = {.file = "fuzz.bundle", .bytes = {bytes, size}, .error = &error};
  if (bundle_file_read(&reader, &head, &view) != PKGIMG_OK)
    return;
  use_symbols(view, &head.gates);
  use_symbols(view, &head.imports);
  for (uint32_t i = 0; i < head.images.count; i++)
    use_image(view, i);
}

// ---- opened

static void inspect(void)
{
  struct pkgimg_bundle_inspection *inspection;
  if (pkgimg_bundle_inspection_open(path, &inspection, NULL) != PKGIMG_OK)
    return;
  const struct pkgimg_bundle_summary *summary = pkgimg_bundle_inspection_summary(inspection);
  for (size_t i = 0; i < summary->images; i++)
    total += strlen(pkgimg_bundle_inspection_image(inspection, i).name);
  for (size_t i = 0; i < summary->regions * PKGIMG_BLOCK_COUNT; i++)
    total += pkgimg_bundle_inspection_block(inspection, i).memory_size;
  pkgimg_bundle_inspection_close(inspection);
}

static void load(unsigned flags)
{
  struct pkgimg_runtime_options options = {.size = sizeof options,
                                           .flags = PKGIMG_RUNTIME_NO_CODE |
                                                    (flags & FUZZ_VERIFY ? PKGIMG_RUNTIME_VERIFY : 0u)};
  struct pkgimg_runtime *runtime;
  struct pkgimg_image *image;
  struct pkgimg_error error;
  long long before = watch_bytes();
  if (pkgimg_runtime_open(&options, &runtime, NULL) != PKGIMG_OK)
    return;
  if (pkgimg_load(runtime, path, &image, &error) == PKGIMG_OK) {
    fuzz_look_up(runtime, image);
    ask_types(runtime);
    pkgimg_close(image);
  }
  pkgimg_runtime_close(runtime);
  if (watch_bytes() != before)
    abort();
}

// ---- an input

// The size of the file that an input stands for.
static size_t whole_size(const uint8_t *data, size_t size)
{
  struct bundle_header head;
  if (size < sizeof head)
    return size;
  memcpy(&head, data, sizeof head);
  uint64_t whole = head.regions && head.regions <= BUNDLE_REGIONS ? bundle_size(&head) : size;
  return whole >= size && whole <= FUZZ_BUNDLE_LARGEST ? whole : size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 2)
    return 0;
  unsigned flags = data[size - 1];
  size_t given = size - 1, whole = whole_size(data, given);
  uint8_t *bytes = calloc(1, whole);
  if (!bytes)
    return 0;
  memcpy(bytes, data, given);
  if (flags & FUZZ_SEAL && given >= sizeof(struct bundle_header))
    seal(bytes, whole);
  read_bundle(bytes, whole);
  struct fuzz_folder folder = fuzz_folder_make();
  snprintf(path, sizeof path, "%s/fuzz.bundle", folder.path);
  fuzz_write(path, bytes, whole, whole);
  inspect();
  load(flags);
  unlink(path);
  rmdir(folder.path);
  free(bytes);
  return 0;
}
