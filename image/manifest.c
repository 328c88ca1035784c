// SPDX-License-Identifier: MIT
//
// A package's manifest, in UCL: docs/manifest.md. libucl reads it; this file only knows the keys.
#include "base/array.h"

#include <fnmatch.h>
#include <glob.h>
#include <pkgimg/build.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucl.h>

struct manifest {
  const char *path;
  char *folder;  // of the manifest, or the caller's
  char *name, *init;
  bool sysimage, compress, debug_types;
  char *precompile;
  unsigned precompile_limit;
  struct string_list sources, cflags, exports, deps, libs, roots;
  struct pkgimg_error *error;
};

static void manifest_deinit(struct manifest *manifest)
{
  struct string_list *lists[] = {&manifest->sources, &manifest->cflags, &manifest->exports, &manifest->deps,
                                 &manifest->libs,    &manifest->roots};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    string_list_deinit(lists[i]);
  free(manifest->folder);
  free(manifest->name);
  free(manifest->init);
  free(manifest->precompile);
}

// ---- keys

static enum pkgimg_status wrong_type(const struct manifest *manifest, const ucl_object_t *object,
                                     const char *expected)
{
  return fail_name(manifest->error, PKGIMG_MANIFEST, manifest->path, ucl_object_key(object),
                   "expected %s, found %s", expected, ucl_object_type_to_string(ucl_object_type(object)));
}

static enum pkgimg_status take_string(const struct manifest *manifest, const ucl_object_t *object, char **value)
{
  const char *text;
  if (!ucl_object_tostring_safe(object, &text))
    return wrong_type(manifest, object, "a string");
  free(*value);
  *value = strdup(text);
  return *value ? PKGIMG_OK : fail_memory(manifest->error, strlen(text));
}

static enum pkgimg_status take_boolean(const struct manifest *manifest, const ucl_object_t *object, bool *value)
{
  return ucl_object_toboolean_safe(object, value) ? PKGIMG_OK : wrong_type(manifest, object, "true or false");
}

static enum pkgimg_status take_limit(const struct manifest *manifest, const ucl_object_t *object, unsigned *value)
{
  int64_t number;
  if (ucl_object_type(object) != UCL_INT || !ucl_object_toint_safe(object, &number))
    return wrong_type(manifest, object, "a number of seconds");
  if (number < 0 || number > 1000000)
    return fail_name(manifest->error, PKGIMG_MANIFEST, manifest->path, ucl_object_key(object),
                     "expected 0 to 1000000 seconds, found %lld", (long long)number);
  *value = (unsigned)number;
  return PKGIMG_OK;
}

// One string is a list of one.
static enum pkgimg_status take_list(const struct manifest *manifest, const ucl_object_t *object,
                                    struct string_list *list)
{
  enum pkgimg_status status = PKGIMG_OK;
  ucl_object_iter_t position = NULL;
  for (const ucl_object_t *item; (item = ucl_object_iterate(object, &position, true));) {
    const char *text;
    if (status != PKGIMG_OK)
      continue;
    if (ucl_object_tostring_safe(item, &text))
      status = string_list_add(list, manifest->error, "%s", text);
    else
      status = wrong_type(manifest, object, "a list of strings");
  }
  return status;
}

static enum pkgimg_status take_key(struct manifest *manifest, const ucl_object_t *object)
{
  const struct {
    const char *key;
    struct string_list *list;
    char **text;
  } keys[] = {{"name", NULL, &manifest->name},       {"init", NULL, &manifest->init},
              {"sources", &manifest->sources, NULL}, {"cflags", &manifest->cflags, NULL},
              {"exports", &manifest->exports, NULL}, {"deps", &manifest->deps, NULL},
              {"libs", &manifest->libs, NULL},       {"roots", &manifest->roots, NULL},
              {"precompile", NULL, &manifest->precompile}};
  const char *key = ucl_object_key(object);
  if (strcmp(key, "version") == 0)  // for people; an image is known by its build id
    return PKGIMG_OK;
  if (strcmp(key, "sysimage") == 0)
    return take_boolean(manifest, object, &manifest->sysimage);
  if (strcmp(key, "compress") == 0)
    return take_boolean(manifest, object, &manifest->compress);
  if (strcmp(key, "debug_types") == 0)
    return take_boolean(manifest, object, &manifest->debug_types);
  if (strcmp(key, "precompile_limit") == 0)
    return take_limit(manifest, object, &manifest->precompile_limit);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (strcmp(key, keys[i].key) == 0)
      return keys[i].list ? take_list(manifest, object, keys[i].list)
                          : take_string(manifest, object, keys[i].text);
  return fail_name(manifest->error, PKGIMG_MANIFEST, manifest->path, key,
                   "unknown key; known are name, version, sources, cflags, exports, deps, libs, init, "
                   "precompile, precompile_limit, roots, compress, debug_types, sysimage");
}

static enum pkgimg_status take_keys(struct manifest *manifest, struct ucl_parser *parser)
{
  enum pkgimg_status status = PKGIMG_OK;
  ucl_object_t *top = ucl_parser_get_object(parser);
  ucl_object_iter_t position = NULL;
  // To the end, whatever happens: the iterator frees its state only there.
  for (const ucl_object_t *object; top && (object = ucl_object_iterate(top, &position, true));)
    if (status == PKGIMG_OK)
      status = take_key(manifest, object);
  ucl_object_unref(top);
  return status;
}

static enum pkgimg_status parse(struct manifest *manifest)
{
  // Without macros: a manifest cannot include other files or read the environment.
  struct ucl_parser *parser =
      ucl_parser_new(UCL_PARSER_NO_FILEVARS | UCL_PARSER_DISABLE_MACRO | UCL_PARSER_NO_IMPLICIT_ARRAYS);
  if (!parser)
    return fail_memory(manifest->error, 0);
  enum pkgimg_status status = PKGIMG_OK;
  if (!ucl_parser_add_file(parser, manifest->path))
    status = fail(manifest->error, PKGIMG_MANIFEST, manifest->path, "%s", ucl_parser_get_error(parser));
  else
    status = take_keys(manifest, parser);
  ucl_parser_free(parser);
  if (status == PKGIMG_OK && manifest->sources.count == 0)
    status = fail_name(manifest->error, PKGIMG_MANIFEST, manifest->path, "sources", "the key is missing");
  return status;
}

// ---- sources are globs, relative to the manifest

static enum pkgimg_status expand_one(const struct manifest *manifest, const char *pattern,
                                     struct string_list *files)
{
  char full[4096];
  size_t prefix = strlen(manifest->folder) + 1;
  glob_t found = {0};
  if (pattern[0] == '/')
    prefix = 0;
  snprintf(full, sizeof full, "%s%s%s", prefix ? manifest->folder : "", prefix ? "/" : "", pattern);
  int failure = glob(full, 0, NULL, &found);
  enum pkgimg_status status = PKGIMG_OK;
  if (failure)
    status = fail_name(manifest->error, PKGIMG_NOT_FOUND, manifest->path, pattern, "no source matches in %s",
                       manifest->folder);
  for (size_t i = 0; status == PKGIMG_OK && i < found.gl_pathc; i++)
    status = string_list_add(files, manifest->error, "%s", found.gl_pathv[i] + prefix);
  globfree(&found);
  return status;
}

static bool matches_an_exclusion(const struct manifest *manifest, const char *file)
{
  for (size_t i = 0; i < manifest->sources.count; i++)
    if (manifest->sources.items[i][0] == '!' && fnmatch(manifest->sources.items[i] + 1, file, 0) == 0)
      return true;
  return false;
}

// "!pattern" leaves files out, wherever in the list it stands.
static enum pkgimg_status expand_sources(const struct manifest *manifest, struct string_list *files)
{
  struct string_list candidates AUTO(string_list_deinit) = {0};
  for (size_t i = 0; i < manifest->sources.count; i++)
    if (manifest->sources.items[i][0] != '!')
      TRY(expand_one(manifest, manifest->sources.items[i], &candidates));
  for (size_t i = 0; i < candidates.count; i++)
    if (!matches_an_exclusion(manifest, candidates.items[i]))
      TRY(string_list_add(files, manifest->error, "%s", candidates.items[i]));
  return PKGIMG_OK;
}

// ---- together with the caller's options

static enum pkgimg_status append(struct string_list *list, const struct pkgimg_strings *more,
                                 struct pkgimg_error *error)
{
  for (size_t i = 0; i < more->count; i++)
    TRY(string_list_add(list, error, "%s", more->items[i]));
  return PKGIMG_OK;
}

static struct pkgimg_strings strings(const struct string_list *list)
{
  return (struct pkgimg_strings){(const char *const *)list->items, list->count};
}

static enum pkgimg_status combine(struct manifest *manifest, struct pkgimg_build_options *options)
{
  TRY(append(&manifest->cflags, &options->cflags, manifest->error));
  TRY(append(&manifest->exports, &options->exports, manifest->error));
  TRY(append(&manifest->deps, &options->deps, manifest->error));
  TRY(append(&manifest->libs, &options->libs, manifest->error));
  TRY(append(&manifest->roots, &options->roots, manifest->error));
  options->cflags = strings(&manifest->cflags);
  options->exports = strings(&manifest->exports);
  options->deps = strings(&manifest->deps);
  options->libs = strings(&manifest->libs);
  options->roots = strings(&manifest->roots);
  options->folder = manifest->folder;
  if (!options->name)
    options->name = manifest->name;
  if (!options->init)
    options->init = manifest->init;
  if (!options->precompile)
    options->precompile = manifest->precompile;
  if (options->precompile_limit == PKGIMG_LIMIT_DEFAULT)
    options->precompile_limit = manifest->precompile_limit;
  options->sysimage |= manifest->sysimage;
  options->compress |= manifest->compress;
  options->debug_types &= manifest->debug_types;
  return PKGIMG_OK;
}

static enum pkgimg_status choose_folder(struct manifest *manifest, const char *wish)
{
  const char *slash = strrchr(manifest->path, '/');
  if (wish)
    manifest->folder = strdup(wish);
  else if (slash)
    manifest->folder = strndup(manifest->path, (size_t)(slash - manifest->path) + (slash == manifest->path));
  else
    manifest->folder = strdup(".");
  return manifest->folder ? PKGIMG_OK : fail_memory(manifest->error, strlen(manifest->path));
}

// A dependency that the command line gives as a file stands for the manifest's name of it.
static void drop_named_by_path(struct manifest *manifest, const struct pkgimg_strings *paths)
{
  struct string_list *deps = &manifest->deps;
  for (size_t i = 0; i < paths->count; i++) {
    const char *slash = strrchr(paths->items[i], '/');
    const char *file = slash ? slash + 1 : paths->items[i];
    for (size_t j = 0; j < deps->count; j++) {
      size_t length = strlen(deps->items[j]);
      if (strncmp(file, deps->items[j], length) != 0 || strcmp(file + length, ".so") != 0)
        continue;
      free(deps->items[j]);
      memmove(&deps->items[j], &deps->items[j + 1], (deps->count - j) * sizeof *deps->items);
      deps->count--, j--;
    }
  }
}

enum pkgimg_status pkgimg_build_manifest(const char *path, const struct pkgimg_build_options *overrides,
                                         struct pkgimg_error *error)
{
  struct pkgimg_build_options options = PKGIMG_BUILD_OPTIONS_INIT;
  struct string_list files AUTO(string_list_deinit) = {0};
  struct manifest manifest AUTO(manifest_deinit) = {
      .path = path, .precompile_limit = PKGIMG_LIMIT_DEFAULT, .debug_types = true, .error = error};
  if (overrides && overrides->size != sizeof *overrides)
    return fail(error, PKGIMG_INVALID_ARGUMENT, path, "struct pkgimg_build_options: size: expected %zu, found %zu",
                sizeof *overrides, overrides->size);
  if (overrides)
    options = *overrides;
  TRY(choose_folder(&manifest, options.folder));
  TRY(parse(&manifest));
  TRY(expand_sources(&manifest, &files));
  drop_named_by_path(&manifest, &options.deps);
  TRY(combine(&manifest, &options));
  return pkgimg_build_files(&options, (const char *const *)files.items, files.count, error);
}
