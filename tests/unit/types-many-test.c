// SPDX-License-Identifier: MIT
//
// Many types, and many images that state some: tables that grow while they are in use, places that are used again.
// The oracle is the number that each type has as its size.
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <llvm-c/Core.h>
#include <pkgimg/bind.h>
#include <pkgimg/build.h>
#include <pkgimg/pkgimg.h>

CHECK_MAIN_FILE

enum { MANY = 4800, HALF = MANY / 2, IMAGES = 40 };

static struct pkgimg_error error;
static struct pkgimg_runtime *runtime;
static char names[2 * MANY][12];
static struct pkgimg_type_record records[MANY];

// A package with the types of `count` numbers from `first` on; each is a subtype of the one before.
static void build(const char *file, unsigned first, unsigned count)
{
  struct pkgimg_build_options options = PKGIMG_BUILD_OPTIONS_INIT;
  struct pkgimg_build_types types = {.types = records, .type_count = count};
  options.name = file;
  options.output = scratch_path(file);
  options.types = &types;
  for (unsigned i = 0; i < count; i++) {
    snprintf(names[first + i], sizeof names[0], "T%u", first + i);
    records[i] = (struct pkgimg_type_record){.name = names[first + i],
                                             .size = first + i,
                                             .align = 1,
                                             .kind = PKGIMG_KIND_STRUCT,
                                             .supertype = (first + i) % 8 ? &records[i - 1] : NULL};
  }
  LLVMContextRef context = LLVMContextCreate();
  LLVMModuleRef module = LLVMModuleCreateWithNameInContext(file, context);
  CHECK_OK(pkgimg_build_modules(&options, &module, 1, NULL, &error), &error);
  LLVMContextDispose(context);
}

// The last image is the main one.
static void bind(const char *file, const char *first, const char *second)
{
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  struct pkgimg_bind_report report;
  const char *images[] = {scratch_path(first), scratch_path(second)};
  options.output = scratch_path(file);
  options.images = images;
  options.image_count = 2;
  CHECK_OK(pkgimg_bind(&options, &report, &error), &error);
  CHECK(report.types >= HALF);
}

static uint64_t pages_written(void)
{
  struct pkgimg_stats stats = {.size = sizeof stats};
  CHECK_OK(pkgimg_runtime_stats(runtime, &stats, &error), &error);
  CHECK(stats.bundles_refused == 0);
  return stats.pages_written;
}

static struct pkgimg_image *load(const char *file)
{
  struct pkgimg_image *image = NULL;
  CHECK_OK(pkgimg_load(runtime, scratch_path(file), &image, &error), &error);
  return image;
}

// How many of these types are there, and what they ought to be.
static unsigned right(unsigned first, unsigned count)
{
  unsigned good = 0;
  for (unsigned i = first; i < first + count; i++) {
    struct pkgimg_type_info info, above = {.size = i - 1};
    const struct pkgimg_type *type;
    if (pkgimg_type_find(runtime, names[i], &type, NULL) || pkgimg_type_describe(type, &info, NULL))
      continue;
    if (info.supertype && pkgimg_type_describe(info.supertype, &above, NULL))
      continue;
    good += info.size == i && strcmp(info.name, names[i]) == 0 && pkgimg_type_by_id(runtime, info.id) == type &&
            above.size == i - 1 && !info.supertype == (i % 8 == 0);
  }
  return good;
}

static void many_types(void)
{
  build("low.so", 0, MANY);
  build("high.so", HALF, MANY);
  CHECK_OK(pkgimg_runtime_open(NULL, &runtime, &error), &error);
  struct pkgimg_image *low = load("low.so"), *high = NULL;
  CHECK(right(0, HALF + MANY) == MANY);
  for (int round = 0; round < 3; round++) {
    high = load("high.so");
    CHECK(right(0, HALF + MANY) == HALF + MANY);
    pkgimg_close(low);
    CHECK(right(0, HALF) == 0 && right(HALF, MANY) == MANY);
    low = load("low.so");
    CHECK(right(0, HALF + MANY) == HALF + MANY);
    pkgimg_close(high);
    CHECK(right(0, MANY) == MANY && right(MANY, HALF) == 0);
  }
  pkgimg_close(low);
  CHECK(right(0, HALF + MANY) == 0);
  pkgimg_runtime_close(runtime);
}

// More than the first table of homes holds; then one that comes and goes more often than that has places.
static void many_images(void)
{
  struct pkgimg_image *images[IMAGES];
  char file[16];
  CHECK_OK(pkgimg_runtime_open(NULL, &runtime, &error), &error);
  for (unsigned i = 0; i < IMAGES; i++) {
    snprintf(file, sizeof file, "few%u.so", i);
    build(file, 8 * i, 16);
    images[i] = load(file);
  }
  CHECK(right(0, 8 * (IMAGES + 1)) == 8 * (IMAGES + 1));
  for (unsigned i = 0; i < 4 * IMAGES; i++) {
    pkgimg_close(images[0]);
    images[0] = load("few0.so");
  }
  CHECK(right(0, 8 * (IMAGES + 1)) == 8 * (IMAGES + 1));
  for (unsigned i = 0; i < IMAGES; i++) {
    pkgimg_close(images[i]);
    CHECK(right(0, 8 * (IMAGES + 1)) == 8 * (i + 1 < IMAGES ? IMAGES - i : 0));
  }
  pkgimg_runtime_close(runtime);
}

// The same in a bundle, where they are several chunks, and beside it.
static void many_bound(void)
{
  build("beyond.so", MANY, MANY);
  bind("both.bundle", "low.so", "high.so");
  CHECK_OK(pkgimg_runtime_open(NULL, &runtime, &error), &error);
  load("both.bundle");
  CHECK(pages_written() == 1);
  CHECK(right(0, HALF) == 0 && right(HALF, MANY) == MANY && right(MANY + HALF, HALF) == 0);
  for (int round = 0; round < 3; round++) {
    struct pkgimg_image *beyond = load("beyond.so");
    CHECK(right(HALF, MANY + HALF) == MANY + HALF && right(0, HALF) == (round ? HALF : 0));
    pkgimg_close(beyond);
    CHECK(right(HALF, MANY) == MANY && right(MANY + HALF, HALF) == 0);
    pkgimg_close(load("low.so"));
    CHECK(right(0, HALF + MANY) == HALF + MANY);
  }
  pkgimg_runtime_close(runtime);
}

// Two bundles without a type in common, then images that share types with both; and the images first.
static void many_bundles(void)
{
  build("top.so", MANY + HALF, HALF);
  build("none.so", 0, 1);
  bind("low.bundle", "none.so", "low.so");
  bind("top.bundle", "top.so", "top.so");
  for (int first = 0; first < 2; first++) {
    CHECK_OK(pkgimg_runtime_open(NULL, &runtime, &error), &error);
    struct pkgimg_image *high = first ? load("high.so") : NULL, *beyond;
    uint64_t before = first ? pages_written() : 0;
    load("low.bundle");
    CHECK(first ? pages_written() > before + 8 : pages_written() == 1);
    before = pages_written();
    load("top.bundle");
    CHECK(pages_written() == before + 1);
    CHECK(right(0, MANY) == MANY && right(MANY, HALF) == (first ? HALF : 0) && right(MANY + HALF, HALF) == HALF);
    beyond = load("beyond.so");
    high = high ? high : load("high.so");
    CHECK(right(0, 2 * MANY) == 2 * MANY);
    pkgimg_close(beyond);
    pkgimg_close(high);
    CHECK(right(0, MANY) == MANY && right(MANY, HALF) == 0 && right(MANY + HALF, HALF) == HALF);
    pkgimg_runtime_close(runtime);
  }
}

int main(void)
{
  many_types();
  many_bound();
  many_bundles();
  many_images();
  return check_verdict();
}
