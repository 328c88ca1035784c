// SPDX-License-Identifier: MIT
//
// Loading a closure twice. For ld.so each image is copied without its constructors; for us the load stops
// before it would run them.
#include "tests/oracle/pair.h"
#include "tests/unit/world.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *file_of(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void add_pair(struct pairs *pairs, struct pkgimg_image *image)
{
  struct pair *pair = &pairs->items[pairs->count++];
  *pair = (struct pair){.name = pkgimg_image_name(image), .image = image};
  elf_file_read(&pair->file, pkgimg_image_path(image));
  pair->bases[OURS] = image_base(image);
  pair->modules[OURS] = image->tls_module;
  choice_init(pair);
  for (int area = AREA_L; area <= AREA_W; area++)
    pair->relocated[area] = calloc(1, image->geometry.areas[area].file_size + 1);
}

// Libraries of the host that the images name, for both worlds, before either looks at them.
static bool open_host_libraries(const char *path)
{
  struct elf_file file;
  size_t position = 0;
  bool good = true;
  elf_file_read(&file, path);
  for (const char *name; (name = elf_file_needed(&file, &position));) {
    char beside[512];
    snprintf(beside, sizeof beside, "%.*s%s", (int)(file_of(path) - path), path, name);
    FILE *image = fopen(beside, "rb");
    if (image) {
      fclose(image);
      good = good && open_host_libraries(beside);
    } else if (!dlopen(name, RTLD_NOW | RTLD_GLOBAL)) {
      fprintf(stderr, "%s\n", dlerror());
      good = false;
    }
  }
  elf_file_deinit(&file);
  return good;
}

static bool load_ours(struct pairs *pairs, const char *path)
{
  struct pkgimg_error error;
  struct pkgimg_image *image, *fresh;
  if (pkgimg_runtime_open(NULL, &pairs->runtime, &error) != PKGIMG_OK ||
      load_image(pairs->runtime, path, &image, &fresh, &error) != PKGIMG_OK) {
    fprintf(stderr, "%s\n", error.text);
    return false;
  }
  for (struct pkgimg_image *each = pairs->runtime->first; each; each = each->next)
    add_pair(pairs, each);
  return true;
}

static int take_base(struct dl_phdr_info *info, size_t size, void *context)
{
  struct pairs *pairs = context;
  const char *scratch = scratch_folder();
  (void)size;
  for (size_t i = 0; i < pairs->count; i++) {
    struct pair *pair = &pairs->items[i];
    if (strncmp(info->dlpi_name, scratch, strlen(scratch)) != 0 ||
        strcmp(file_of(info->dlpi_name), file_of(pkgimg_image_path(pair->image))) != 0)
      continue;
    pair->bases[THEIRS] = info->dlpi_addr;
    pair->modules[THEIRS] = info->dlpi_tls_modid;
  }
  return 0;
}

static bool load_theirs(struct pairs *pairs, const char *path)
{
  for (size_t i = 0; i < pairs->count; i++)
    elf_file_write_quiet(&pairs->items[i].file, scratch_path(file_of(pkgimg_image_path(pairs->items[i].image))));
  pairs->handle = dlopen(scratch_path(file_of(path)), RTLD_NOW | RTLD_LOCAL);
  if (!pairs->handle) {
    fprintf(stderr, "%s\n", dlerror());
    return false;
  }
  dl_iterate_phdr(take_base, pairs);
  for (size_t i = 0; i < pairs->count; i++)
    if (!pairs->items[i].bases[THEIRS])
      return fprintf(stderr, "ld.so has not loaded %s\n", pairs->items[i].name), false;
  return true;
}

bool pairs_load(struct pairs *pairs, const char *path)
{
  *pairs = (struct pairs){0};
  return open_host_libraries(path) && load_ours(pairs, path) && load_theirs(pairs, path);
}

void pairs_unload(struct pairs *pairs)
{
  if (pairs->handle)
    dlclose(pairs->handle);
  for (size_t i = 0; i < pairs->count; i++) {
    struct pair *pair = &pairs->items[i];
    elf_file_deinit(&pair->file);
    free(pair->relocated[AREA_L]);
    free(pair->relocated[AREA_W]);
  }
  pkgimg_runtime_close(pairs->runtime);
}
