// SPDX-License-Identifier: MIT
//
// The captured heap as an inspection shows it, and as an area of a loaded image.
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <pkgimg/build.h>
#include <pkgimg/inspect.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;

static const char text[] =
    "#include <stdlib.h>\n"
    "char *kept[3];\n"
    "void warm(void) { kept[0] = malloc(24); void *volatile gone = malloc(1000); free(gone); kept[1] = "
    "malloc(100000);\n"
    "  kept[2] = malloc(8); *(char **)kept[2] = kept[1]; *(char **)(kept[1] + 99000) = kept[0];\n"
    "  gone = malloc(50); gone = 0; }\n";

static const char *build(const char *name, int compress)
{
  struct pkgimg_build_options options = PKGIMG_BUILD_OPTIONS_INIT;
  const char *file = "kept.c";
  options.name = "kept";
  options.output = scratch_path(name);
  options.folder = scratch_folder();
  options.precompile = "warm";
  options.compress = compress;
  write_all(scratch_path(file), text, sizeof text - 1);
  CHECK_OK(pkgimg_build_files(&options, &file, 1, &error), &error);
  return scratch_path(name);
}

static void inspected(const char *path, bool packed)
{
  struct pkgimg_inspection *inspection;
  if (!CHECK_OK(pkgimg_inspection_open(path, &inspection, &error), &error))
    return;
  const struct pkgimg_summary *summary = pkgimg_inspection_summary(inspection);
  const struct pkgimg_heap *heap = &summary->heap;
  CHECK(summary->constructed && heap->objects == 3 && heap->object_bytes == 24 + 100000 + 8);
  CHECK(strcmp(heap->compression, packed ? "zstd" : "none") == 0 && heap->mapped == !packed);
  CHECK((heap->unpack_nanoseconds != 0) == packed);
  CHECK(packed ? heap->stored_size < heap->size / 10 : heap->stored_size == heap->size);
  CHECK(summary->areas[4].memory_size == heap->size && summary->areas[4].file_size == heap->stored_size);
  uint64_t seen = 0, addresses[4];
  for (size_t i = 0; i < summary->captured_sets; i++) {
    struct pkgimg_captured_set set = pkgimg_inspection_captured_set(inspection, i);
    CHECK(strcmp(set.kind, "heap") == 0 && strcmp(set.sites.target, "kept") == 0);
    bool in_heap = strcmp(set.place, "heap") == 0;
    uint64_t start = summary->areas[in_heap ? 4 : 3].address, size = summary->areas[in_heap ? 4 : 3].memory_size;
    size_t count = pkgimg_inspection_captured_sites(inspection, i, 1, addresses, 4);
    CHECK(count + 1 == set.sites.count);
    for (size_t j = 0; j < count; j++)
      CHECK(addresses[j] > start && addresses[j] < start + size);
    seen += set.sites.count;
  }
  CHECK(seen == 5);
  pkgimg_inspection_close(inspection);
}

static void loaded(const char *path)
{
  struct pkgimg_runtime *runtime;
  struct pkgimg_image *image;
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];
  char **kept;
  CHECK_OK(pkgimg_runtime_open(NULL, &runtime, &error), &error);
  if (CHECK_OK(pkgimg_load(runtime, path, &image, &error), &error) &&
      CHECK_OK(pkgimg_symbol(image, "kept", (void **)&kept, &error), &error)) {
    pkgimg_image_areas(image, areas);
    const struct pkgimg_area *heap = &areas[4];
    CHECK(strcmp(heap->name, "H") == 0 && heap->file_offset % 4096 == 0 && heap->file_offset && heap->file_size);
    for (int i = 0; i < 3; i++) {
      CHECK((uint64_t)kept[i] >= heap->address && (uint64_t)kept[i] < heap->address + heap->memory_size);
      CHECK(pkgimg_image_at(runtime, kept[i]) == image);
    }
    CHECK(!pkgimg_image_at(runtime, (void *)(heap->address - 1)));
    CHECK(!pkgimg_image_at(runtime, (void *)(heap->address + heap->memory_size)));
  }
  pkgimg_runtime_close(runtime);
}

int main(void)
{
  const char *plain = build("plain.so", 0);
  inspected(plain, false);
  loaded(plain);
  const char *packed = build("packed.so", 1);
  inspected(packed, true);
  loaded(packed);
  return check_verdict();
}
