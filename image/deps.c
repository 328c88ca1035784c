// SPDX-License-Identifier: MIT
#include "image/deps.h"

#include "base/hash.h"
#include "image/baseline.h"
#include "linker/linker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void dep_destroy(struct dep *dep)
{
  if (!dep)
    return;
  buffer_deinit(&dep->bytes);
  free(dep->path);
  free(dep);
}

void deps_deinit(struct deps *deps)
{
  for (size_t i = 0; i < deps->count; i++)
    dep_destroy(deps->items[i]);
  free(deps->items);
  free(deps->index);
  *deps = (struct deps){0};
}

// ---- where a dependency is

static bool try_folder(const char *folder, size_t length, const char *name, char path[4096])
{
  return snprintf(path, 4096, "%.*s/%s.so", (int)length, folder, name) < 4096 && access(path, F_OK) == 0;
}

static bool try_beside(const char *file, const char *name, char path[4096])
{
  const char *slash = file ? strrchr(file, '/') : NULL;
  return slash ? try_folder(file, (size_t)(slash - file), name, path) : try_folder(".", 1, name, path);
}

// A name is looked for beside `dependent` (an image, or NULL), along dep_path, beside the output.
static enum pkgimg_status locate(const struct pkgimg_build_options *options, const char *name,
                                 const char *dependent, char path[4096], struct pkgimg_error *error)
{
  if (dependent && try_beside(dependent, name, path))
    return PKGIMG_OK;
  for (size_t i = 0; i < options->dep_path.count; i++)
    if (try_folder(options->dep_path.items[i], strlen(options->dep_path.items[i]), name, path))
      return PKGIMG_OK;
  if (try_beside(options->output, name, path))
    return PKGIMG_OK;
  return fail_name(error, PKGIMG_NOT_FOUND, options->name, name,
                   "no file %s.so beside %s, along the dependency path, or beside the output", name,
                   dependent ? dependent : "it");
}

static bool is_path(const char *dependency)
{
  size_t length = strlen(dependency);
  return strchr(dependency, '/') || (length > 3 && strcmp(dependency + length - 3, ".so") == 0);
}

// ---- reading

static enum pkgimg_status dep_read(struct dep *dep, const char *path, struct pkgimg_error *error)
{
  dep->path = strdup(path);
  if (!dep->path)
    return fail_memory(error, strlen(path));
  TRY(file_read(path, &dep->bytes, error));
  struct reader reader = {.file = dep->path, .bytes = {dep->bytes.data, dep->bytes.size}, .error = error};
  TRY(image_file_read(&reader, &dep->file));
  // The views outlive the caller's error.
  dep->file.reader.error = NULL;
  dep->name = dep->file.tables.strings + dep->file.tables.head->name;
  return PKGIMG_OK;
}

static const uint8_t *id_of(const struct dep *dep)
{
  return dep->file.header.geometry.build_id;
}

static struct dep **place_of(const struct deps *deps, const char *name)
{
  size_t at = hash64(name, strlen(name));
  while (deps->index[at & (deps->index_capacity - 1)] &&
         strcmp(deps->index[at & (deps->index_capacity - 1)]->name, name) != 0)
    at++;
  return &deps->index[at & (deps->index_capacity - 1)];
}

struct dep *deps_find(const struct deps *deps, const char *name)
{
  return deps->index_capacity ? *place_of(deps, name) : NULL;
}

static enum pkgimg_status grow_index(struct deps *deps, struct pkgimg_error *error)
{
  if (2 * (deps->count + 1) <= deps->index_capacity)
    return PKGIMG_OK;
  size_t capacity = deps->index_capacity ? 2 * deps->index_capacity : 64;
  struct dep **index = calloc(capacity, sizeof(struct dep *));
  if (!index)
    return fail_memory(error, capacity * sizeof *index);
  free(deps->index);
  deps->index = index;
  deps->index_capacity = capacity;
  for (size_t i = 0; i < deps->count; i++)
    *place_of(deps, deps->items[i]->name) = deps->items[i];
  return PKGIMG_OK;
}

// The name must carry `build_id`, whoever asks for it.
static enum pkgimg_status same_image(const struct dep *dep, const uint8_t build_id[16], const char *asked_by,
                                     struct pkgimg_error *error)
{
  if (memcmp(id_of(dep), build_id, 16) == 0)
    return PKGIMG_OK;
  struct hex_id expected = hex_id(build_id), found = hex_id(id_of(dep));
  return fail_name(error, PKGIMG_MISMATCH, dep->path, dep->name, "%s was built against build id %s, this is %s",
                   asked_by, expected.text, found.text);
}

static enum pkgimg_status dep_create(const char *path, struct dep **result, struct pkgimg_error *error)
{
  struct dep *dep = calloc(1, sizeof *dep);
  if (!dep)
    return fail_memory(error, sizeof *dep);
  enum pkgimg_status status = dep_read(dep, path, error);
  if (status == PKGIMG_OK)
    *result = dep;
  else
    dep_destroy(dep);
  return status;
}

// The list takes it over, or it ends. A name is there once: whoever has it already stays.
static enum pkgimg_status add(struct deps *deps, struct dep *dep, struct pkgimg_error *error)
{
  enum pkgimg_status status = array_reserve(&deps->items, &deps->capacity, deps->count, sizeof *deps->items, error);
  if (status == PKGIMG_OK)
    status = grow_index(deps, error);
  if (status != PKGIMG_OK) {
    dep_destroy(dep);
    return status;
  }
  struct dep **place = place_of(deps, dep->name);
  if (!*place)
    *place = dep;
  deps->items[deps->count++] = dep;
  return PKGIMG_OK;
}

// The closure of a direct dependency comes in loading order, so its members go in front of it.
static enum pkgimg_status add_closure(const struct pkgimg_build_options *options, struct deps *deps,
                                      const struct dep *dependent, struct pkgimg_error *error)
{
  const struct closure *closure = &dependent->file.closure;
  for (uint32_t i = 0; i < closure->count; i++) {
    const char *name = dependent->file.tables.strings + closure->entries[i].name;
    char path[4096];
    struct dep *dep = deps_find(deps, name);
    if (!dep) {
      TRY(locate(options, name, dependent->path, path, error));
      TRY(dep_create(path, &dep, error));
      TRY(add(deps, dep, error));
    }
    TRY(same_image(dep, closure->entries[i].geometry.build_id, dependent->name, error));
  }
  return PKGIMG_OK;
}

static void move_last(struct deps *deps, const struct dep *dep)
{
  size_t at = 0;
  while (deps->items[at] != dep)
    at++;
  struct dep *moved = deps->items[at];
  memmove(&deps->items[at], &deps->items[at + 1], (deps->count - at - 1) * sizeof *deps->items);
  deps->items[deps->count - 1] = moved;
}

static enum pkgimg_status add_direct(const struct pkgimg_build_options *options, struct deps *deps,
                                     const char *dependency, struct pkgimg_error *error)
{
  char path[4096];
  struct dep *dep;
  if (!is_path(dependency))
    TRY(locate(options, dependency, NULL, path, error));
  else if (snprintf(path, sizeof path, "%s", dependency) >= (int)sizeof path)
    return fail(error, PKGIMG_INVALID_ARGUMENT, dependency, "the path is too long");
  TRY(dep_create(path, &dep, error));
  struct dep *known = deps_find(deps, dep->name);
  if (known) {
    enum pkgimg_status status = same_image(known, id_of(dep), options->name, error);
    known->direct = true;
    dep_destroy(dep);
    return status;
  }
  dep->direct = true;
  TRY(add(deps, dep, error));
  TRY(add_closure(options, deps, dep, error));
  move_last(deps, dep);
  return PKGIMG_OK;
}

static enum pkgimg_status find_sysimage(const struct pkgimg_build_options *options, struct deps *deps,
                                        struct pkgimg_error *error)
{
  for (size_t i = 0; i < deps->count; i++) {
    const struct dep *dep = deps->items[i];
    if (!is_sysimage(&dep->file.tables))
      continue;
    if (deps->sysimage)
      return fail_name(error, PKGIMG_SYSIMAGE, options->name, dep->name,
                       "two system images in its closure: %s, %s", deps->sysimage->path, dep->path);
    deps->sysimage = dep;
  }
  return PKGIMG_OK;
}

enum pkgimg_status deps_read(const struct pkgimg_build_options *options, struct deps *deps,
                             struct pkgimg_error *error)
{
  for (size_t i = 0; i < options->deps.count; i++)
    TRY(add_direct(options, deps, options->deps.items[i], error));
  for (size_t i = 0; i < deps->count; i++)
    deps->items[i]->number = (uint32_t)i;
  return find_sysimage(options, deps, error);
}
