// SPDX-License-Identifier: MIT
//
// The file that bind makes: the same from the same, whole or not at all, and what bind refuses.
#include "tests/unit/bundles.h"

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
    bound("one", "leaf", NULL, &report);
    CHECK(report.base != last && report.base % 0x200000 == 0 && report.images == 1);
    CHECK(report.base >= 0x200000000000 && report.base < 0x500000000000);
    last = report.base;
  }
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
  refusals();
  return check_verdict();
}
