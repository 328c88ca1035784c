// SPDX-License-Identifier: MIT
//
// Many types, and many images that state some: tables that grow while they are in use, places that are used again.
// The oracle is the number that each type has as its size.
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <llvm-c/Core.h>
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

int main(void)
{
  many_types();
  many_images();
  return check_verdict();
}
