// SPDX-License-Identifier: MIT
#include "image/finish.h"

#include "image/accesses.h"
#include "image/captured.h"
#include "image/clones.h"
#include "image/described.h"
#include "image/resolve.h"
#include "linker/linker.h"
#include "serializer/types.h"

#include <stdlib.h>
#include <string.h>

struct finish {
  const struct pkgimg_build_options *options;
  const struct codegen_result *code;
  const struct target_list *targets;
  struct clone_table clones;
  const struct deps *deps;
  struct provider *providers;
  struct dep **provider_deps;
  struct buffer output;  // of the linker
  struct link_fields fields;
  struct linked linked;
  struct buffer words;  // a copy of it, with the sites filled in
  struct resolution resolution;
  struct access_list accesses;
  struct type_blocks types;
};

static void finish_deinit(struct finish *finish)
{
  type_blocks_deinit(&finish->types);
  access_list_deinit(&finish->accesses);
  resolution_deinit(&finish->resolution);
  clone_table_deinit(&finish->clones);
  buffer_deinit(&finish->words);
  link_fields_deinit(&finish->fields);
  buffer_deinit(&finish->output);
  free(finish->providers);
  free(finish->provider_deps);
}

static enum pkgimg_status collect_types(struct finish *finish, struct pkgimg_error *error)
{
  const struct codegen_records *records = &finish->code->records, *debug = &finish->code->debug_records;
  const struct pkgimg_build_types *declared = finish->options->types;
  struct type_source sources[] = {
      {records->types, records->methods, records->type_count, records->method_count, false},
      {0},
      {debug->types, debug->methods, debug->type_count, debug->method_count, .wordless = true}};
  if (declared)
    sources[1] = (struct type_source){declared->types, declared->methods, declared->type_count,
                                      declared->method_count, false};
  return types_collect(finish->options->name, sources, 3, &finish->types, error);
}

static enum pkgimg_status link_objects(struct finish *finish, struct pkgimg_error *error)
{
  const struct pkgimg_build_options *options = finish->options;
  struct span *objects AUTO(free_pointer) = calloc(finish->code->product_count, sizeof *objects);
  if (!objects)
    return fail_memory(error, finish->code->product_count * sizeof *objects);
  for (size_t i = 0; i < finish->code->product_count; i++)
    objects[i] = (struct span){finish->code->products[i].data, finish->code->products[i].size};
  const char **paths AUTO(free_pointer) = calloc(finish->deps->count + 1, sizeof *paths);
  if (!paths)
    return fail_memory(error, finish->deps->count * sizeof *paths);
  size_t count = 0;
  for (size_t i = 0; i < finish->deps->count; i++)
    if (finish->deps->items[i]->direct)
      paths[count++] = finish->deps->items[i]->path;
  struct link_request request = {
      .name = options->name,
      .objects = objects,
      .object_count = finish->code->product_count,
      .target_count = finish->targets->count > 1 ? finish->targets->count : 0,
      .deps = paths,
      .dep_count = count,
      .libs = options->libs.items,
      .lib_count = options->libs.count,
      .captured = options->precompile || options->graph,
      .in_child = options->link_in_child,
      .diagnostics = {options->diagnostic, options->diagnostic_context},
      .types_size = finish->types.descriptions.size,
  };
  TRY(link_elf(&request, &finish->output, &finish->fields, error));
  return buffer_append(&finish->words, finish->output.data, finish->output.size, error);
}

// Symbols are looked for in the dependencies that the package names before those that these need.
static enum pkgimg_status order_providers(struct finish *finish, struct pkgimg_error *error)
{
  size_t count = finish->deps->count, filled = 0;
  finish->providers = calloc(count + 1, sizeof *finish->providers);
  finish->provider_deps = calloc(count + 1, sizeof(struct dep *));
  if (!finish->providers || !finish->provider_deps)
    return fail_memory(error, count * sizeof *finish->providers);
  for (int direct = 1; direct >= 0; direct--)
    for (size_t i = 0; i < count; i++) {
      struct dep *dep = finish->deps->items[i];
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
  TRY(clone_table_init(&finish->clones, finish->code, &finish->linked, finish->options->name, error));
  TRY(resolve(&finish->linked, finish->options->name, finish->providers, finish->deps->count, finish->words.data,
              clone_table_find, &finish->clones, &finish->resolution, error));
  return access_list_init(&finish->accesses, &finish->linked, &finish->fields, &finish->resolution, error);
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
  struct writer_sites *sets, *clone_sets;
  uint32_t *ids;  // of all sets, one behind the other
  uint32_t *site_imports, *site_clones;
  size_t site_clone_count;
  uint32_t *set_of_provider;
  struct disk_residual *residuals;
  struct writer_closure_entry *closure;
  size_t dependency_count;
};

static void lists_deinit(struct lists *lists)
{
  free(lists->dependencies);
  free(lists->sets);
  free(lists->clone_sets);
  free(lists->ids);
  free(lists->site_imports);
  free(lists->site_clones);
  free(lists->set_of_provider);
  free(lists->residuals);
  free(lists->closure);
}

static enum pkgimg_status lists_allocate(struct lists *lists, const struct finish *finish,
                                         struct pkgimg_error *error)
{
  const struct resolution *resolution = &finish->resolution;
  size_t sites = 1, count = finish->deps->count + 2;
  for (size_t i = 0; i < resolution->set_count; i++)
    sites += resolution->sets[i].count;
  for (size_t i = 0; i + 1 < resolution->set_count; i++)
    sites += resolution->clone_sets[i].count;
  lists->dependencies = calloc(count, sizeof *lists->dependencies);
  lists->sets = calloc(count, sizeof *lists->sets);
  lists->clone_sets = calloc(count, sizeof *lists->clone_sets);
  lists->site_clones = calloc(sites, sizeof *lists->site_clones);
  lists->set_of_provider = calloc(count, sizeof *lists->set_of_provider);
  lists->closure = calloc(count, sizeof *lists->closure);
  lists->residuals = calloc(resolution->residual_count + 1, sizeof *lists->residuals);
  lists->ids = calloc(sites, sizeof *lists->ids);
  lists->site_imports = calloc(sites, sizeof *lists->site_imports);
  if (lists->dependencies && lists->sets && lists->clone_sets && lists->set_of_provider && lists->closure &&
      lists->ids && lists->site_imports && lists->site_clones && lists->residuals)
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

static uint32_t *take_clone_set(struct lists *lists, struct writer_sites *set, const struct site_list *list,
                                uint32_t *ids)
{
  for (size_t i = 0; i < list->count; i++)
    lists->site_clones[lists->site_clone_count++] = list->items[i].import;
  return take_set(set, list, ids);
}

// A dependency is recorded if the package names it, or if some word needs it.
static void fill_lists(struct lists *lists, const struct finish *finish)
{
  const struct resolution *resolution = &finish->resolution;
  uint32_t *ids = take_set(&lists->sets[0], &resolution->sets[0], lists->ids);
  ids = take_clone_set(lists, &lists->clone_sets[0], &resolution->clone_sets[0], ids);
  for (size_t i = 0; i < finish->deps->count; i++) {
    const struct provider *provider = &finish->providers[i];
    if (!provider->direct && !resolution->used[i])
      continue;
    struct writer_dependency *entry = &lists->dependencies[lists->dependency_count++];
    entry->name = provider->name;
    memcpy(entry->build_id, provider->file->header.geometry.build_id, sizeof entry->build_id);
    lists->set_of_provider[i] = (uint32_t)lists->dependency_count;
    ids = take_set(&lists->sets[lists->dependency_count], &resolution->sets[i + 1], ids);
    ids = take_clone_set(lists, &lists->clone_sets[lists->dependency_count], &resolution->clone_sets[i + 1], ids);
  }
  const struct site_list *host = &resolution->sets[resolution->set_count - 1];
  take_set(&lists->sets[lists->dependency_count + 1], host, ids);
  for (size_t i = 0; i < host->count; i++)
    lists->site_imports[i] = host->items[i].import;
  for (size_t i = 0; i < finish->deps->count; i++)
    lists->closure[i] = (struct writer_closure_entry){.name = finish->deps->items[i]->name,
                                                      .geometry = finish->deps->items[i]->file.header.geometry};
}

// Residuals name providers; in the file they name sets.
static void take_residuals(struct lists *lists, const struct resolution *resolution)
{
  uint32_t host = (uint32_t)resolution->set_count - 1;
  for (size_t i = 0; i < resolution->residual_count; i++) {
    lists->residuals[i] = resolution->residuals[i];
    uint32_t *set = &lists->residuals[i].set;
    if (*set == host)
      *set = (uint32_t)lists->dependency_count + 1;
    else if (*set)
      *set = lists->set_of_provider[*set - 1];
  }
}

static enum pkgimg_status write_image(const struct finish *finish, const struct lists *lists,
                                      const struct writer_capture *capture, struct buffer *image,
                                      struct pkgimg_error *error)
{
  struct writer_input input = {
      .name = finish->options->name,
      .linked = &finish->linked,
      .dependencies = lists->dependencies,
      .dependency_count = lists->dependency_count,
      .imports = finish->resolution.imports,
      .import_count = finish->resolution.import_count,
      .sets = lists->sets,
      .site_imports = lists->site_imports,
      .residuals = lists->residuals,
      .residual_count = finish->resolution.residual_count,
      .closure = lists->closure,
      .closure_count = finish->deps->count,
      .sysimage = finish->options->sysimage,
      .cpu_target = (const char *)finish->targets->text.data,
      .targets = finish->targets->tables,
      .target_count = finish->targets->count,
      .clones = finish->clones.clones,
      .clone_count = finish->clones.count,
      .bodies = finish->clones.bodies,
      .body_count = finish->clones.body_count,
      .clone_sets = lists->site_clone_count ? lists->clone_sets : NULL,
      .site_clones = lists->site_clones,
      .accesses = {finish->accesses.items, finish->accesses.count},
      .capture = capture,
  };
  struct span words = {finish->words.data, finish->words.size};
  TRY(find_init(finish, &input.init_function, error));
  input.types = (struct span){finish->types.table.data, finish->types.table.size};
  return writer_run(&input, words, image, error);
}

static enum pkgimg_status make_lists(struct lists *lists, const struct finish *finish, struct pkgimg_error *error)
{
  TRY(lists_allocate(lists, finish, error));
  fill_lists(lists, finish);
  take_residuals(lists, &finish->resolution);
  return PKGIMG_OK;
}

static enum pkgimg_status write_plain(const struct finish *finish, struct buffer *image, struct pkgimg_error *error)
{
  struct lists lists AUTO(lists_deinit) = {0};
  TRY(make_lists(&lists, finish, error));
  return write_image(finish, &lists, NULL, image, error);
}

// ---- with what initialisation left

// By the dependencies' order of loading: which provider each is.
static enum pkgimg_status number_providers(const struct finish *finish, uint32_t **provider_of,
                                           struct pkgimg_error *error)
{
  size_t count = finish->deps->count;
  *provider_of = calloc(count + 1, sizeof **provider_of);
  if (!*provider_of)
    return fail_memory(error, count * sizeof **provider_of);
  for (size_t i = 0; i < count; i++)
    for (uint32_t j = 0; j < count; j++)
      if (finish->provider_deps[j] == finish->deps->items[i])
        (*provider_of)[i] = j;
  return PKGIMG_OK;
}

static enum pkgimg_status write_captured(struct finish *finish, struct buffer *image, struct pkgimg_error *error)
{
  struct capture capture AUTO(capture_deinit) = {0};
  struct captured captured AUTO(captured_deinit) = {0};
  struct lists lists AUTO(lists_deinit) = {0};
  uint32_t *numbers AUTO(free_pointer) = NULL;
  TRY(capture_package(&capture, finish->options, finish->deps, &finish->linked, image, error));
  TRY(number_providers(finish, &numbers, error));
  TRY(captured_prepare(&capture, numbers, &finish->resolution, error));
  TRY(make_lists(&lists, finish, error));
  for (size_t i = 0; i < finish->deps->count; i++)
    numbers[i] = lists.set_of_provider[numbers[i]];
  TRY(captured_init(&captured, &capture, numbers, &finish->resolution, error));
  return write_image(finish, &lists, &captured.writer, image, error);
}

// ---- with a graph of the caller's

static enum pkgimg_status write_described(struct finish *finish, struct buffer *image, struct pkgimg_error *error)
{
  struct described described AUTO(described_deinit) = {.options = finish->options,
                                                       .linked = &finish->linked,
                                                       .clones = &finish->clones,
                                                       .deps = finish->deps,
                                                       .words = {finish->words.data, finish->words.size}};
  struct lists lists AUTO(lists_deinit) = {0};
  uint32_t *numbers AUTO(free_pointer) = NULL;
  TRY(number_providers(finish, &numbers, error));
  TRY(described_prepare(&described, numbers, &finish->resolution, error));
  TRY(make_lists(&lists, finish, error));
  for (size_t i = 0; i < finish->deps->count; i++)
    numbers[i] = lists.set_of_provider[numbers[i]];
  TRY(described_init(&described, numbers, error));
  return write_image(finish, &lists, &described.writer, image, error);
}

enum pkgimg_status finish_image(const struct pkgimg_build_options *options, const struct codegen_result *code,
                                const struct target_list *targets, const struct deps *deps, struct buffer *image,
                                struct pkgimg_error *error)
{
  struct finish finish AUTO(finish_deinit) = {.options = options, .code = code, .targets = targets, .deps = deps};
  TRY(collect_types(&finish, error));
  TRY(link_objects(&finish, error));
  TRY(resolve_linked(&finish, error));
  TRY(types_place(options->name, &finish.types, &finish.linked, &finish.words, error));
  if (options->graph)
    return write_described(&finish, image, error);
  TRY(write_plain(&finish, image, error));
  return options->precompile ? write_captured(&finish, image, error) : PKGIMG_OK;
}
