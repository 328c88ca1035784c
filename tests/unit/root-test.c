// SPDX-License-Identifier: MIT
//
// pkgimg_root: variables that a precompile function left, found by name.
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <pkgimg/build.h>
#include <pkgimg/pkgimg.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;
static struct pkgimg_runtime *runtime;

static void forget(void *context, const char *text)
{
  (void)context, (void)text;
}

static const char text[] =
    "#include <stdlib.h>\n"
    "long *table, *second, plain = 3;\n"
    "void warm(void) { table = malloc(16); table[0] = 41; table[1] = 42; second = table + 1; }\n";

static enum pkgimg_status build(const char *output, const char *const *roots, size_t count)
{
  struct pkgimg_build_options options = PKGIMG_BUILD_OPTIONS_INIT;
  const char *file = "root.c";
  options.name = "root";
  options.output = output;
  options.folder = scratch_folder();
  options.precompile = "warm";
  options.roots = (struct pkgimg_strings){roots, count};
  options.diagnostic = forget;
  write_all(scratch_path(file), text, sizeof text - 1);
  return pkgimg_build_files(&options, &file, 1, &error);
}

static void finds(struct pkgimg_image *image, const char *name, long value)
{
  long **variable = NULL;
  if (CHECK_OK(pkgimg_root(image, name, (void **)&variable, &error), &error))
    CHECK(**variable == value);
}

static void by_name(void)
{
  static const char *const roots[] = {"table", "plain", "second"};
  struct pkgimg_image *image = NULL;
  CHECK_OK(build(scratch_path("root.so"), roots, 3), &error);
  if (!CHECK_OK(pkgimg_load(runtime, scratch_path("root.so"), &image, &error), &error))
    return;
  finds(image, "table", 41);
  finds(image, "second", 42);
  void *root = NULL, *symbol = NULL;
  CHECK_OK(pkgimg_root(image, "plain", &root, &error), &error);
  CHECK_OK(pkgimg_symbol(image, "plain", &symbol, &error), &error);
  CHECK(root && root == symbol && *(long *)root == 3);
  CHECK_STATUS(pkgimg_root(image, "warm", &root, &error), PKGIMG_NOT_FOUND, &error);
  CHECK(strcmp(error.name, "warm") == 0);
  CHECK_STATUS(pkgimg_root(image, "", &root, &error), PKGIMG_NOT_FOUND, &error);
  CHECK_STATUS(pkgimg_root(NULL, "plain", &root, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(pkgimg_root(image, NULL, &root, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(pkgimg_root(image, "plain", NULL, &error), PKGIMG_INVALID_ARGUMENT, &error);
  pkgimg_close(image);
}

static void declared_twice(void)
{
  static const char *const roots[] = {"table", "plain", "table"};
  CHECK_STATUS(build(scratch_path("twice.so"), roots, 3), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK(strcmp(error.name, "table") == 0);
}

int main(void)
{
  CHECK_OK(pkgimg_runtime_open(NULL, &runtime, &error), &error);
  by_name();
  declared_twice();
  pkgimg_runtime_close(runtime);
  return check_verdict();
}
