// SPDX-License-Identifier: MIT
//
// build: sources -> LLVM -> one object -> lld -> resolved image.
#include "codegen/codegen.h"
#include "image/deps.h"
#include "image/resolve.h"
#include "image/sources.h"
#include "linker/linker.h"

#include <ctype.h>
#include <llvm-c/Core.h>
#include <pkgimg/build.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- options

static bool good_name(const char *name)
{
  if (!name || !isalnum((unsigned char)*name))
    return false;
  for (const char *c = name; *c; c++)
    if (!isalnum((unsigned char)*c) && !strchr("._+-", *c))
      return false;
  return strlen(name) < 128;
}

static enum pkgimg_status check_options(const struct pkgimg_build_options *options, struct pkgimg_error *error)
{
  if (!options || options->size != sizeof *options)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "struct pkgimg_build_options: size: expected %zu, found %zu",
                sizeof *options, options ? options->size : 0);
  if (!good_name(options->name))
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, NULL, options->name ? options->name : "(none)",
                     "not a package name: letters, digits and . _ + -, not beginning with a sign");
  if (options->optimize > 3)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "optimisation level: expected 0 to 3, found %u",
                options->optimize);
  if (options->debug > 3)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "debug level: expected 0 to 3, found %u", options->debug);
  return PKGIMG_OK;
}

static struct codegen_options codegen_options(const struct pkgimg_build_options *options)
{
  static const enum codegen_check_bounds checks[] = {[PKGIMG_CHECK_BOUNDS_AUTO] = CODEGEN_CHECK_AUTO,
                                                     [PKGIMG_CHECK_BOUNDS_YES] = CODEGEN_CHECK_YES,
                                                     [PKGIMG_CHECK_BOUNDS_NO] = CODEGEN_CHECK_NO};
  static const enum codegen_product products[] = {[PKGIMG_EMIT_IMAGE] = CODEGEN_OBJECT,
                                                  [PKGIMG_EMIT_OBJECT] = CODEGEN_OBJECT,
                                                  [PKGIMG_EMIT_BITCODE] = CODEGEN_BITCODE,
                                                  [PKGIMG_EMIT_ASSEMBLY] = CODEGEN_ASSEMBLY};
  return (struct codegen_options){.name = options->name,
                                  .exports = options->exports.items,
                                  .export_count = options->exports.count,
                                  .keep = options->init,
                                  .optimize = options->optimize,
                                  .inline_functions = options->inline_functions,
                                  .check_bounds = checks[options->check_bounds],
                                  .product = products[options->emit]};
}

// ---- from an object to an image

struct finish {
  const struct pkgimg_build_options *options;
  struct deps deps;
  struct provider *providers;
  struct dep **provider_deps;
  struct buffer output;  // of the linker
  struct linked linked;
  struct buffer words;  // a copy of it, with the sites filled in
  struct resolution resolution;
};

static void finish_deinit(struct finish *finish)
{
  resolution_deinit(&finish->resolution);
  buffer_deinit(&finish->words);
  buffer_deinit(&finish->output);
  free(finish->providers);
  free(finish->provider_deps);
  deps_deinit(&finish->deps);
}

static enum pkgimg_status link_object(struct finish *finish, struct span object, struct pkgimg_error *error)
{
  const struct pkgimg_build_options *options = finish->options;
  const char **paths AUTO(free_pointer) = calloc(finish->deps.count + 1, sizeof *paths);
  if (!paths)
    return fail_memory(error, finish->deps.count * sizeof *paths);
  size_t count = 0;
  for (size_t i = 0; i < finish->deps.count; i++)
    if (finish->deps.items[i]->direct)
      paths[count++] = finish->deps.items[i]->path;
  struct link_request request = {
      .name = options->name,
      .objects = &object,
      .object_count = 1,
      .deps = paths,
      .dep_count = count,
      .libs = options->libs.items,
      .lib_count = options->libs.count,
      .in_child = options->link_in_child,
      .diagnostics = {options->diagnostic, options->diagnostic_context},
  };
  TRY(link_elf(&request, &finish->output, error));
  return buffer_append(&finish->words, finish->output.data, finish->output.size, error);
}

// Symbols are looked for in the dependencies that the package names before those that these need.
static enum pkgimg_status order_providers(struct finish *finish, struct pkgimg_error *error)
{
  size_t count = finish->deps.count, filled = 0;
  finish->providers = calloc(count + 1, sizeof *finish->providers);
  finish->provider_deps = calloc(count + 1, sizeof(struct dep *));
  if (!finish->providers || !finish->provider_deps)
    return fail_memory(error, count * sizeof *finish->providers);
  for (int direct = 1; direct >= 0; direct--)
    for (size_t i = 0; i < count; i++) {
      struct dep *dep = finish->deps.items[i];
      if (dep->direct != direct)
        continue;
      finish->provider_deps[filled] = dep;
      finish->providers[filled++] = (struct provider){.name = dep->name, .file = &dep->file, .direct = direct};
    }
  return PKGIMG_OK;
}

static enum pkgimg_status resolve_linked(struct finish *finish, struct pkgimg_error *error)
{
  struct reader reader = {
      .file = finish->options->name, .bytes = {finish->output.data, finish->output.size}, .error = error};
  TRY(linked_read(&reader, &finish->linked));
  TRY(order_providers(finish, error));
  return resolve(&finish->linked, finish->options->name, finish->providers, finish->deps.count, finish->words.data,
                 &finish->resolution, error);
}

static enum pkgimg_status find_init(const struct finish *finish, uint64_t *address, struct pkgimg_error *error)
{
  const char *name = finish->options->init;
  *address = 0;
  if (!name)
    return PKGIMG_OK;
  const Elf64_Sym *symbol = linked_find(&finish->linked, name);
  if (!symbol || ELF64_ST_TYPE(symbol->st_info) != STT_FUNC)
    return fail_name(error, PKGIMG_UNDEFINED_SYMBOL, finish->options->name, name,
                     "the declared initialisation function is %s", symbol ? "not a function" : "not defined");
  *address = symbol->st_value;
  return PKGIMG_OK;
}

/// The writer's lists, with their storage.
struct lists {
  struct writer_dependency *dependencies;
  struct writer_sites *sets;
  uint32_t *ids;  // of all sets, one behind the other
  uint32_t *site_imports;
  uint32_t *set_of_provider;
  struct writer_closure_entry *closure;
  size_t dependency_count;
};

static void lists_deinit(struct lists *lists)
{
  free(lists->dependencies);
  free(lists->sets);
  free(lists->ids);
  free(lists->site_imports);
  free(lists->set_of_provider);
  free(lists->closure);
}

static enum pkgimg_status lists_allocate(struct lists *lists, const struct finish *finish,
                                         struct pkgimg_error *error)
{
  const struct resolution *resolution = &finish->resolution;
  size_t sites = 1, count = finish->deps.count + 2;
  for (size_t i = 0; i < resolution->set_count; i++)
    sites += resolution->sets[i].count;
  lists->dependencies = calloc(count, sizeof *lists->dependencies);
  lists->sets = calloc(count, sizeof *lists->sets);
  lists->set_of_provider = calloc(count, sizeof *lists->set_of_provider);
  lists->closure = calloc(count, sizeof *lists->closure);
  lists->ids = calloc(sites, sizeof *lists->ids);
  lists->site_imports = calloc(sites, sizeof *lists->site_imports);
  if (lists->dependencies && lists->sets && lists->set_of_provider && lists->closure && lists->ids &&
      lists->site_imports)
    return PKGIMG_OK;
  return fail_memory(error, sites * sizeof *lists->ids);
}

static uint32_t *take_set(struct writer_sites *set, const struct site_list *list, uint32_t *ids)
{
  *set = (struct writer_sites){.ids = ids, .count = list->count};
  for (size_t i = 0; i < list->count; i++)
    ids[i] = list->items[i].word;
  return ids + list->count;
}

// A dependency is recorded if the package names it, or if some word needs it.
static void fill_lists(struct lists *lists, const struct finish *finish)
{
  const struct resolution *resolution = &finish->resolution;
  uint32_t *ids = take_set(&lists->sets[0], &resolution->sets[0], lists->ids);
  for (size_t i = 0; i < finish->deps.count; i++) {
    const struct provider *provider = &finish->providers[i];
    if (!provider->direct && !resolution->used[i])
      continue;
    struct writer_dependency *entry = &lists->dependencies[lists->dependency_count++];
    entry->name = provider->name;
    memcpy(entry->build_id, provider->file->header.geometry.build_id, sizeof entry->build_id);
    lists->set_of_provider[i] = (uint32_t)lists->dependency_count;
    ids = take_set(&lists->sets[lists->dependency_count], &resolution->sets[i + 1], ids);
  }
  const struct site_list *host = &resolution->sets[resolution->set_count - 1];
  take_set(&lists->sets[lists->dependency_count + 1], host, ids);
  for (size_t i = 0; i < host->count; i++)
    lists->site_imports[i] = host->items[i].import;
  for (size_t i = 0; i < finish->deps.count; i++)
    lists->closure[i] = (struct writer_closure_entry){.name = finish->deps.items[i]->name,
                                                      .geometry = finish->deps.items[i]->file.header.geometry};
}

// Residuals name providers; in the file they name sets.
static void renumber_residuals(const struct lists *lists, struct resolution *resolution)
{
  uint32_t host = (uint32_t)resolution->set_count - 1;
  for (size_t i = 0; i < resolution->residual_count; i++) {
    uint32_t *set = &resolution->residuals[i].set;
    if (*set == host)
      *set = (uint32_t)lists->dependency_count + 1;
    else if (*set)
      *set = lists->set_of_provider[*set - 1];
  }
}

static enum pkgimg_status write_image(struct finish *finish, struct buffer *image, struct pkgimg_error *error)
{
  struct lists lists AUTO(lists_deinit) = {0};
  TRY(lists_allocate(&lists, finish, error));
  fill_lists(&lists, finish);
  renumber_residuals(&lists, &finish->resolution);
  struct writer_input input = {
      .name = finish->options->name,
      .linked = &finish->linked,
      .dependencies = lists.dependencies,
      .dependency_count = lists.dependency_count,
      .imports = finish->resolution.imports,
      .import_count = finish->resolution.import_count,
      .sets = lists.sets,
      .site_imports = lists.site_imports,
      .residuals = finish->resolution.residuals,
      .residual_count = finish->resolution.residual_count,
      .closure = lists.closure,
      .closure_count = finish->deps.count,
  };
  TRY(find_init(finish, &input.init_function, error));
  return writer_run(&input, (struct span){finish->words.data, finish->words.size}, image, error);
}

static enum pkgimg_status finish_image(const struct pkgimg_build_options *options, struct span object,
                                       struct buffer *image, struct pkgimg_error *error)
{
  struct finish finish AUTO(finish_deinit) = {.options = options};
  TRY(deps_read(options, &finish.deps, error));
  TRY(link_object(&finish, object, error));
  TRY(resolve_linked(&finish, error));
  return write_image(&finish, image, error);
}

// ---- the results

static enum pkgimg_status publish(const struct pkgimg_build_options *options, const struct buffer *product,
                                  struct pkgimg_error *error)
{
  static const char *const suffixes[] = {[PKGIMG_EMIT_IMAGE] = "so",
                                         [PKGIMG_EMIT_OBJECT] = "o",
                                         [PKGIMG_EMIT_BITCODE] = "bc",
                                         [PKGIMG_EMIT_ASSEMBLY] = "s"};
  char path[256];
  snprintf(path, sizeof path, "%s.%s", options->name, suffixes[options->emit]);
  return file_publish(options->output ? options->output : path, (struct span){product->data, product->size}, 0666,
                      error);
}

static enum pkgimg_status build_modules(const struct pkgimg_build_options *options, LLVMModuleRef const *modules,
                                        size_t count, struct buffer *product, struct pkgimg_error *error)
{
  struct codegen_options codegen = codegen_options(options);
  struct buffer object AUTO(buffer_deinit) = {0};
  if (options->emit != PKGIMG_EMIT_IMAGE)
    return codegen_run(&codegen, modules, count, product, error);
  TRY(codegen_run(&codegen, modules, count, &object, error));
  return finish_image(options, (struct span){object.data, object.size}, product, error);
}

void pkgimg_buffer_deinit(struct pkgimg_buffer *buffer)
{
  free(buffer->data);
  *buffer = (struct pkgimg_buffer){0};
}

static enum pkgimg_status build_checked(const struct pkgimg_build_options *options, LLVMModuleRef const *modules,
                                        size_t count, struct pkgimg_buffer *result, struct pkgimg_error *error)
{
  struct buffer product AUTO(buffer_deinit) = {0};
  TRY(build_modules(options, modules, count, &product, error));
  if (!result)
    return publish(options, &product, error);
  *result = (struct pkgimg_buffer){product.data, product.size};
  product = (struct buffer){0};
  return PKGIMG_OK;
}

enum pkgimg_status pkgimg_build_modules(const struct pkgimg_build_options *options,
                                        struct LLVMOpaqueModule *const *modules, size_t count,
                                        struct pkgimg_buffer *result, struct pkgimg_error *error)
{
  enum pkgimg_status status = check_options(options, error);
  if (status == PKGIMG_OK)
    return build_checked(options, modules, count, result, error);
  for (size_t i = 0; i < count; i++)
    LLVMDisposeModule(modules[i]);
  return status;
}

static void dispose_context(LLVMContextRef *context)
{
  LLVMContextDispose(*context);
}

enum pkgimg_status pkgimg_build_files(const struct pkgimg_build_options *options, const char *const *files,
                                      size_t count, struct pkgimg_error *error)
{
  struct string_list sources AUTO(string_list_deinit) = {0};
  TRY(check_options(options, error));
  TRY(sources_list(options, files, count, &sources, error));
  LLVMModuleRef *modules AUTO(free_pointer) = calloc(sources.count, sizeof *modules);
  if (!modules)
    return fail_memory(error, sources.count * sizeof *modules);
  LLVMContextRef context AUTO(dispose_context) = LLVMContextCreate();
  TRY(sources_compile(options, &sources, context, modules, error));
  return build_checked(options, modules, sources.count, NULL, error);
}
