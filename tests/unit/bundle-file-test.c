// SPDX-License-Identifier: MIT
//
// The file that bind makes: the same from the same, whole or not at all, and what bind refuses.
#include "tests/unit/bundles.h"

#include <sys/stat.h>
#include <unistd.h>

CHECK_MAIN_FILE

static bool same_files(const char *one, const char *other)
{
  size_t sizes[2];
  uint8_t *bytes[2] = {read_all(one, &sizes[0]), read_all(other, &sizes[1])};
  bool same = sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0;
  free(bytes[0]);
  free(bytes[1]);
  return same;
}

static void reproducible(void)
{
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  options.base = 0x200000400000;
  const char *one = bound("one", "tables bodies-user top", &options, NULL);
  CHECK(same_files(one, bound("two", "tables bodies-user top", &options, NULL)));
  CHECK(!same_files(one, bound("two", "bodies-user tables top", &options, NULL)));
  options.base += 0x200000;
  CHECK(!same_files(one, bound("two", "tables bodies-user top", &options, NULL)));
}

// The addresses of each bundle are its own.
static void random_places(void)
{
  struct pkgimg_bind_report report;
  uint64_t last = 0;
  for (int i = 0; i < 8; i++) {
    unlink(scratch_path("one"));
    bound("one", "leaf", NULL, &report);
    CHECK(report.base != last && report.base % 0x200000 == 0 && report.images == 1);
    CHECK(report.base >= 0x200000000000 && report.base < 0x500000000000);
    last = report.base;
  }
}

// ---- where a bundle is already

static struct pkgimg_bind_report rebound(const char *images, const struct pkgimg_bind_options *options,
                                         bool unchanged)
{
  struct stat old, new;
  struct pkgimg_bind_report report;
  CHECK(stat(scratch_path("again"), &old) == 0);
  CHECK(stat(bound("again", images, options, &report), &new) == 0);
  CHECK(report.unchanged == unchanged && report.replaced == !unchanged);
  CHECK((old.st_ino == new.st_ino) == unchanged);
  return report;
}

static void damage(const char *path, long offset)
{
  size_t size;
  uint8_t *bytes = read_all(path, &size);
  bytes[offset < 0 ? (long)size + offset : offset] ^= 1;
  write_all(path, bytes, size);
  free(bytes);
}

// The same images give the bundle that is there. Anything else gives a new one, at an address of its own.
static void again(void)
{
  struct pkgimg_bind_options lesser = PKGIMG_BIND_OPTIONS_INIT, boot = PKGIMG_BIND_OPTIONS_INIT, at = boot;
  struct pkgimg_bind_report first, report;
  bound("again", "bodies-user", NULL, &first);
  CHECK(!first.unchanged && !first.replaced && first.images_before == 0);
  report = rebound("bodies-user", NULL, true);
  CHECK(report.base == first.base && report.images_before == 2 && report.images == 2);
  report = rebound("tables bodies-user", NULL, false);
  CHECK(report.base != first.base && report.images_before == 2 && report.images == 4);
  rebound("tables bodies-user", NULL, true);
  report = rebound("bodies-user tables", NULL, false);
  CHECK(report.images_before == 4);
  first = rebound("bodies-user", NULL, false);
  lesser.host = "x86-64";
  report = rebound("bodies-user", &lesser, false);
  CHECK(report.base != first.base && report.images_before == 2);
  rebound("bodies-user", &lesser, true);
  at.base = report.base;
  at.host = "x86-64";
  rebound("bodies-user", &at, true);
  at.base += 0x200000;
  CHECK(rebound("bodies-user", &at, false).base == at.base);
  boot.aslr = PKGIMG_ASLR_BOOT;
  first = rebound("bodies-user", &boot, false);
  CHECK(first.base != at.base);
  rebound("bodies-user", &boot, true);
}

// What is there and is damaged, in a page that only its user would read, or in the header, is replaced.
static void damaged(void)
{
  bound("again", "bodies-user", NULL, NULL);
  damage(scratch_path("again"), -0x100);
  rebound("bodies-user", NULL, false);
  damage(scratch_path("again"), 64);
  CHECK(stat(scratch_path("again"), &(struct stat){0}) == 0);
  struct pkgimg_bind_report report;
  bound("again", "bodies-user", NULL, &report);
  CHECK(!report.unchanged && !report.replaced);
}

static void refuse(const char *image, const char *output, uint64_t base, enum pkgimg_status expected,
                   const char *text)
{
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  options.images = &image;
  options.image_count = image != NULL;
  options.output = output;
  options.base = base;
  CHECK_STATUS(pkgimg_bind(&options, NULL, &error), expected, &error);
  if (!CHECK(strstr(error.text, text)))
    fprintf(stderr, "  %s\n", error.text);
}

static void refusals(void)
{
  const char *output = scratch_path("refused"), *kept = bound("kept", "leaf", NULL, NULL);
  const char *copy = scratch_path("copy"), *broken = scratch_path("broken.so");
  size_t size;
  uint8_t *bytes = read_all(kept, &size);
  write_all(copy, bytes, size);
  free(bytes);
  bytes = read_all(image_path("leaf"), &size);
  bytes[size / 2] ^= 1;
  write_all(broken, bytes, size);
  free(bytes);
  refuse(NULL, output, 0, PKGIMG_INVALID_ARGUMENT, "no image");
  refuse(image_path("leaf"), output, 0x1000, PKGIMG_INVALID_ARGUMENT, "multiple of");
  refuse(scratch_path("nothing.so"), output, 0, PKGIMG_NOT_FOUND, "nothing.so");
  refuse(broken, output, 0, PKGIMG_MISMATCH, "broken.so");
  refuse(kept, output, 0, PKGIMG_NOT_AN_IMAGE, "kept");
  CHECK(access(output, F_OK) != 0);
  refuse(broken, kept, 0, PKGIMG_MISMATCH, "broken.so");
  CHECK(same_files(kept, copy));  // what was there stays
  refuse(image_path("leaf"), scratch_path("no-folder/bundle"), 0, PKGIMG_NOT_FOUND, "no-folder");
}

int main(void)
{
  reproducible();
  random_places();
  again();
  damaged();
  refusals();
  return check_verdict();
}
