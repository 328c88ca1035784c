// SPDX-License-Identifier: MIT
#include "tests/should_fail/expect.h"

#include "tests/should_fail/ask_types.h"
#include "tests/should_fail/watch.h"

#include <inttypes.h>
#include <pkgimg/bind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool complain(const char *name, const char *what, const struct pkgimg_error *error)
{
  printf("%s: %s: \"%s\" (%s)\n", name, what, error->text, pkgimg_status_name(error->status));
  return false;
}

// Values are shown in decimal or in hexadecimal.
static bool text_holds(const struct pkgimg_error *error, uint64_t value)
{
  char decimal[32], hexadecimal[32];
  snprintf(decimal, sizeof decimal, "%" PRIu64, value);
  snprintf(hexadecimal, sizeof hexadecimal, "0x%" PRIx64, value);
  return strstr(error->text, decimal) || strstr(error->text, hexadecimal);
}

bool error_is_complete(const char *name, const struct pkgimg_error *error)
{
  if (!*error->text || !*error->file || !strstr(error->text, error->file))
    return complain(name, "the error names no file", error);
  if (strlen(error->text) < strlen(error->file) + 8)
    return complain(name, "the error does not say what", error);
  if (error->status == PKGIMG_SYSTEM && error->os_error == 0)
    return complain(name, "no errno", error);
  if (error->offset == PKGIMG_NO_OFFSET)
    return true;
  if (!text_holds(error, error->offset) || !text_holds(error, error->expected) || !text_holds(error, error->found))
    return complain(name, "the text lacks the offset or a value", error);
  // A bitmap may be broken behind the right number of sites.
  return error->expected != error->found || strstr(error->text, "bitmap") ||
         complain(name, "expected and found are the same", error);
}

static bool check(const char *verb, const struct expectation *expected, enum pkgimg_status status,
                  const struct pkgimg_error *error)
{
  char name[256];
  snprintf(name, sizeof name, "%s: %s", expected->name, verb);
  if (status != expected->status) {
    printf("%s: expected %s, found %s: %s\n", name, pkgimg_status_name(expected->status),
           pkgimg_status_name(status), error->text);
    return false;
  }
  if (status == PKGIMG_OK)
    return true;
  if (error->status != status)
    return complain(name, "the error has another status than the call", error);
  if (expected->text && !strstr(error->text, expected->text))
    return complain(name, expected->text, error);
  return error_is_complete(name, error);
}

bool expect_verify(const struct expectation *expected, const char *path)
{
  struct pkgimg_error error = {0};
  struct watch before = watch_take();
  enum pkgimg_status status = pkgimg_verify(path, &error);
  bool good = check("verify", expected, status, &error);
  good &= watch_same(&before, expected->name);
  watch_deinit(&before);
  return good;
}

bool expect_bind(const struct expectation *expected, const char *path, const char *bundle)
{
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  struct pkgimg_error error = {0};
  struct watch before = watch_take();
  options.images = &path;
  options.image_count = 1;
  options.output = bundle;
  enum pkgimg_status status = pkgimg_bind(&options, NULL, &error);
  bool good = check("bind", expected, status, &error);
  good &= watch_same(&before, expected->name);
  watch_deinit(&before);
  return good;
}

static struct pkgimg_runtime *open_runtime(enum pkgimg_prefetch prefetch)
{
  struct pkgimg_runtime_options options = {
      .size = sizeof options, .prefetch = prefetch, .flags = PKGIMG_RUNTIME_NO_CODE};
  struct pkgimg_runtime *runtime;
  if (pkgimg_runtime_open(&options, &runtime, NULL) != PKGIMG_OK)
    abort();
  return runtime;
}

static void look_up(struct pkgimg_image *image)
{
  static const char *const names[] = {"value", "counter", "chosen", "table", "absent", ""};
  void *address;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (pkgimg_symbol(image, names[i], &address, NULL) == PKGIMG_OK && !address)
      puts("a symbol at address 0");
}

// A bundle stays until its runtime is closed.
static bool holds_bundle(struct pkgimg_runtime *runtime)
{
  struct pkgimg_stats stats = {.size = sizeof stats};
  return pkgimg_runtime_stats(runtime, &stats, NULL) != PKGIMG_OK || stats.images_bound > 0;
}

bool expect_load(const struct expectation *expected, const char *path, enum pkgimg_prefetch prefetch)
{
  struct pkgimg_error error = {0};
  struct pkgimg_image *image;
  struct watch start = watch_take();
  struct pkgimg_runtime *runtime = open_runtime(prefetch);
  enum pkgimg_status status = pkgimg_load(runtime, path, &image, &error);
  bool good = check("load", expected, status, &error);
  if (status == PKGIMG_OK) {
    look_up(image);
    ask_types(runtime);
    pkgimg_close(image);
  }
  if (status != PKGIMG_OK || !holds_bundle(runtime))
    good &= watch_same(&start, expected->name);  // the runtime is still open
  pkgimg_runtime_close(runtime);
  good &= watch_same(&start, expected->name);
  watch_deinit(&start);
  return good;
}

enum pkgimg_status try_load(const char *path, struct pkgimg_error *error)
{
  struct pkgimg_image *image;
  struct pkgimg_runtime *runtime = open_runtime(PKGIMG_PREFETCH_NONE);
  enum pkgimg_status status = pkgimg_load(runtime, path, &image, error);
  if (status == PKGIMG_OK) {
    look_up(image);
    ask_types(runtime);
  }
  pkgimg_runtime_close(runtime);
  return status;
}
