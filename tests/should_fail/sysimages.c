// SPDX-License-Identifier: MIT
//
// System images that do not fit what stands above them. `base` is one, `aimed` is built for its targets, `above`
// depends on aimed, `two` on base and k1, which depends on k0.
#include "cpuid/isa.h"
#include "tests/should_fail/expect.h"
#include "tests/should_fail/groups.h"

#include <limits.h>
#include <pkgimg/bind.h>
#include <pkgimg/pkgimg.h>
#include <stdio.h>
#include <string.h>

static struct cpu_features *baseline(const struct forgery *forgery)
{
  struct disk_tables *tables = forgery_tables(forgery);
  struct disk_target *target = (struct disk_target *)(void *)((uint8_t *)tables + tables->targets.offset);
  return (struct cpu_features *)target->features;
}

static struct cpu_features feature(const char *name)
{
  struct cpu_features set = {{0}};
  cpu_add(&set, (unsigned)cpu_feature_find(&cpu_isa_x86_64, name, strlen(name)));
  return set;
}

static void finish(struct forgery *forgery, const struct folders *folders, const char *name)
{
  forgery_seal(forgery, SEAL_ALL);
  publish(forgery, folders, name);
  forgery_deinit(forgery);
}

// Its closure has another build of `dependency`, that of the working folder.
static void rebuild(struct forgery *forgery, uint32_t member, const struct folders *folders,
                    const char *dependency)
{
  struct forgery other = forgery_read(image_path(folders->work, dependency));
  forgery_adopt(forgery, member, &other);
  forgery_deinit(&other);
}

static void nothing(const struct folders *folders)
{
  (void)folders;
}

static void raise_baseline(const struct folders *folders, const char *name)
{
  struct forgery image = take_good(folders, name);
  struct cpu_features more = feature("avx2");
  *baseline(&image) = cpu_union(baseline(&image), &more);
  finish(&image, folders, name);
}
static void more_above(const struct folders *folders)
{
  raise_baseline(folders, "aimed");
}
static void more_far_above(const struct folders *folders)
{
  raise_baseline(folders, "above");
}

static void less_below(const struct folders *folders)
{
  struct forgery base = take_good(folders, "base"), aimed = take_good(folders, "aimed"),
                 two = take_good(folders, "two");
  struct cpu_features less = feature("sse2");
  *baseline(&base) = cpu_without(baseline(&base), &less);
  finish(&base, folders, "base");
  rebuild(&aimed, 0, folders, "base");
  finish(&aimed, folders, "aimed");
  rebuild(&two, 0, folders, "base");
  finish(&two, folders, "two");
}

static void second(const struct folders *folders)
{
  struct forgery k0 = take_good(folders, "k0"), k1 = take_good(folders, "k1"), two = take_good(folders, "two");
  forgery_tables(&k0)->flags = FORMAT_SYSIMAGE;
  finish(&k0, folders, "k0");
  rebuild(&k1, 0, folders, "k0");
  finish(&k1, folders, "k1");
  rebuild(&two, 1, folders, "k0");
  rebuild(&two, 2, folders, "k1");
  finish(&two, folders, "two");
}

// It has lost its dependencies, but not its closure.
static void with_closure(const struct folders *folders)
{
  struct forgery two = take_good(folders, "two");
  struct disk_tables *tables = forgery_tables(&two);
  tables->flags = FORMAT_SYSIMAGE;
  tables->site_sets.count -= tables->dependencies.count;
  tables->dependencies.count = 0;
  finish(&two, folders, "two");
}

static const struct row {
  const char *name;
  void (*make)(const struct folders *folders);  // writes what differs from the good images
  const char *load;                             // the image that is asked for
  enum pkgimg_status status;
  const char *texts[4];  // in the message
  const char *below;     // what may be in a bundle
} rows[] = {
    {"good, for its targets", nothing, "aimed", PKGIMG_OK, {NULL}, "base"},
    {"good, from above", nothing, "above", PKGIMG_OK, {NULL}, "aimed"},
    {"good, plain code", nothing, "two", PKGIMG_OK, {NULL}, "base"},
    {"asks for more",
     more_above,
     "aimed",
     PKGIMG_SYSIMAGE,
     {"aimed.so: x86-64", "avx2", "base.so: x86-64"},
     "base"},
    {"asks for more from above",
     more_far_above,
     "above",
     PKGIMG_SYSIMAGE,
     {"above.so", "avx2", "base.so"},
     "aimed"},
    {"base asks for less", less_below, "aimed", PKGIMG_SYSIMAGE, {"aimed.so", ": sse2 (", "base.so"}, "base"},
    {"base asks for less than plain code",
     less_below,
     "two",
     PKGIMG_SYSIMAGE,
     {"two.so", ": sse2 (", "base.so"},
     "base"},
    {"two of them", second, "two", PKGIMG_SYSIMAGE, {"two system images", "base.so", "k0.so"}, "base"},
    {"one with a closure", with_closure, "two", PKGIMG_MALFORMED, {"closure: expected 0, found 3"}, NULL},
};

// The same from a bundle of the image; and with what it needs in a bundle, whose path the message then has.
static bool run_bound(const struct row *row, const struct folders *folders)
{
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  struct pkgimg_error error = {0};
  const char *image = image_path(folders->work, row->load);
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/whole.bundle", folders->work);
  options.images = &image;
  options.image_count = 1;
  options.output = path;
  bool good = pkgimg_bind(&options, NULL, &error) == row->status;
  for (unsigned i = 0; row->texts[i]; i++)
    good &= strstr(error.text, row->texts[i]) != NULL;
  return good || (printf("%s: bind: %s\n", row->name, error.text), false);
}

static bool run_beside(const struct row *row, const struct folders *folders)
{
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  struct pkgimg_runtime_options plain = {.size = sizeof plain, .flags = PKGIMG_RUNTIME_NO_CODE};
  struct pkgimg_runtime *runtime;
  struct pkgimg_image *below, *image;
  struct pkgimg_error error = {0};
  char path[PATH_MAX];
  const char *bound = image_path(folders->work, row->below);
  snprintf(path, sizeof path, "%s/below.bundle", folders->work);
  options.images = &bound;
  options.image_count = 1;
  options.output = path;
  if (pkgimg_bind(&options, NULL, &error) != PKGIMG_OK ||
      pkgimg_runtime_open(&plain, &runtime, &error) != PKGIMG_OK)
    return printf("%s: %s\n", row->name, error.text), false;
  enum pkgimg_status status = pkgimg_load(runtime, path, &below, &error);
  bool good = status == PKGIMG_OK && strcmp(pkgimg_image_path(below), path) == 0;
  status = pkgimg_load(runtime, image_path(folders->work, row->load), &image, &error);
  good &= status == row->status && (status != PKGIMG_SYSIMAGE || strstr(error.text, "below.bundle"));
  good &= !row->texts[0] || strstr(error.text, row->texts[0]);
  pkgimg_runtime_close(runtime);
  return good || (printf("%s: beside a bundle: %s\n", row->name, error.text), false);
}

static bool run_row(const struct row *row, const struct folders *folders)
{
  static const char *const all[] = {"base", "aimed", "above", "two", "k0", "k1", NULL};
  copy_good(folders, all);
  row->make(folders);
  bool good = true;
  for (unsigned i = 0; i == 0 || row->texts[i]; i++) {
    struct expectation expected = {row->name, row->status, row->texts[i]};
    good &= expect_load(&expected, image_path(folders->work, row->load), PKGIMG_PREFETCH_NONE);
  }
  good &= run_bound(row, folders);
  return good & (!row->below || run_beside(row, folders));
}

unsigned run_sysimages(const struct folders *folders)
{
  unsigned failures = 0;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    failures += !run_row(&rows[i], folders);
  return failures;
}
