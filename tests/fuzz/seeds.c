// SPDX-License-Identifier: MIT
//
// fuzz-seeds KIND OUTPUT INPUT...: make an input of good ones. `pair IMAGE DEPENDENCY`: two images in
// one. `sealed IMAGE`: an image that asks for seals. `sites IMAGE`: the bitmaps of an image, one file
// each, OUTPUT being the beginning of their names. `bundle BUNDLE`: what of a bundle is not zero.
#include "format/bundle_view.h"
#include "tests/fuzz/bundle.h"
#include "tests/should_fail/forge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int pair(const char *output, const struct forgery *image, const struct forgery *dependency)
{
  size_t size = image->size + dependency->size + 5;
  uint8_t *bytes = malloc(size);
  uint32_t second = (uint32_t)dependency->size;
  if (!bytes)
    return 1;
  memcpy(bytes, image->bytes, image->size);
  memcpy(bytes + image->size, dependency->bytes, dependency->size);
  memcpy(bytes + size - 5, &second, sizeof second);
  bytes[size - 1] = FUZZ_PAIR | FUZZ_SEAL;
  file_write(output, bytes, size);
  free(bytes);
  return 0;
}

static int sealed(const char *output, const struct forgery *image)
{
  image->bytes[image->size - 1] = FUZZ_SEAL;
  forgery_write(image, output);
  return 0;
}

static int sites(const char *output, const struct forgery *image)
{
  const struct disk_tables *tables = forgery_tables(image);
  const uint8_t *start = (const uint8_t *)tables;
  const struct disk_site_set *sets =
      (const struct disk_site_set *)(const void *)(start + tables->site_sets.offset);
  for (uint32_t i = 0; i < tables->site_sets.count; i++) {
    char path[4096];
    uint8_t bytes[65536];
    if (sets[i].size > sizeof bytes - 4)
      continue;
    memcpy(bytes, &tables->words, 4);
    memcpy(bytes + 4, start + sets[i].offset, sets[i].size);
    snprintf(path, sizeof path, "%s-%u", output, i);
    file_write(path, bytes, 4 + sets[i].size);
  }
  return 0;
}

static int bundle(const char *output, const char *path)
{
  FILE *file = fopen(path, "rbe");
  uint8_t *bytes = malloc(FUZZ_BUNDLE_LARGEST);
  size_t size = file && bytes ? fread(bytes, 1, FUZZ_BUNDLE_LARGEST, file) : 0;
  if (file)
    fclose(file);
  struct bundle_header head;
  struct reader reader = {.file = path, .bytes = {bytes, size}};
  int status = bundle_header_read(&reader, &head) == PKGIMG_OK && size == bundle_size(&head) ? 0 : 1;
  if (status == 0) {
    size = head.blocks[BLOCK_CODE].size;
    while (bytes[size - 1] == 0)
      size--;
    bytes[size] = FUZZ_SEAL;
    file_write(output, bytes, size + 1);
  }
  free(bytes);
  return status;
}

static int make(const char *kind, const char *output, const struct forgery *image, const char *other)
{
  if (strcmp(kind, "sealed") == 0)
    return sealed(output, image);
  if (strcmp(kind, "sites") == 0)
    return sites(output, image);
  if (strcmp(kind, "pair") != 0 || !other)
    return 2;
  struct forgery dependency = forgery_read(other);
  int status = pair(output, image, &dependency);
  forgery_deinit(&dependency);
  return status;
}

int main(int count, char **arguments)
{
  if (count < 4) {
    fputs("usage: fuzz-seeds KIND OUTPUT INPUT...\n", stderr);
    return 2;
  }
  if (strcmp(arguments[1], "bundle") == 0)
    return bundle(arguments[2], arguments[3]);
  struct forgery image = forgery_read(arguments[3]);
  int status = make(arguments[1], arguments[2], &image, count > 4 ? arguments[4] : NULL);
  forgery_deinit(&image);
  return status;
}
