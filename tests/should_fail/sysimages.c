// SPDX-License-Identifier: MIT
//
// System images that do not fit what stands above them. `base` is one, `aimed` is built for its targets, `above`
// depends on aimed, `two` on base and k1, which depends on k0.
#include "cpuid/isa.h"
#include "tests/should_fail/expect.h"
#include "tests/should_fail/groups.h"

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
} rows[] = {
    {"good, for its targets", nothing, "aimed", PKGIMG_OK, {NULL}},
    {"good, from above", nothing, "above", PKGIMG_OK, {NULL}},
    {"good, plain code", nothing, "two", PKGIMG_OK, {NULL}},
    {"asks for more", more_above, "aimed", PKGIMG_SYSIMAGE, {"aimed.so: x86-64", "avx2", "base.so: x86-64"}},
    {"asks for more from above", more_far_above, "above", PKGIMG_SYSIMAGE, {"above.so", "avx2", "base.so"}},
    {"base asks for less", less_below, "aimed", PKGIMG_SYSIMAGE, {"aimed.so", ": sse2 (", "base.so"}},
    {"base asks for less than plain code", less_below, "two", PKGIMG_SYSIMAGE, {"two.so", ": sse2 (", "base.so"}},
    {"two of them", second, "two", PKGIMG_SYSIMAGE, {"two system images", "base.so", "k0.so"}},
    {"one with a closure", with_closure, "two", PKGIMG_MALFORMED, {"closure: expected 0, found 3"}},
};

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
  return good;
}

unsigned run_sysimages(const struct folders *folders)
{
  unsigned failures = 0;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    failures += !run_row(&rows[i], folders);
  return failures;
}
