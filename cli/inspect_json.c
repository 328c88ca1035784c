// SPDX-License-Identifier: MIT
//
// An inspection as one JSON object. Keys are the members of the structs in pkgimg/inspect.h.
#include "cli/inspect.h"
#include "cli/json.h"
#include "cli/text.h"

#include <stdio.h>

void inspect_write_list(struct json *json, const char *key, const struct inspect_view *view, size_t count,
                        inspect_item *write)
{
  json_open(json, key, '[');
  for (size_t i = 0; i < count; i++) {
    json_open(json, NULL, '{');
    write(json, view, i);
    json_close(json, '}');
  }
  json_close(json, ']');
}

static void write_header(struct json *json, const struct inspect_view *view)
{
  const struct pkgimg_summary *summary = view->summary;
  json_string(json, "file", view->path);
  json_string(json, "name", summary->name);
  json_string(json, "machine", summary->machine);
  json_truth(json, "sysimage", summary->sysimage);
  json_string(json, "cpu_target", summary->cpu_target);
  json_unsigned(json, "format_version", summary->format_version);
  json_string(json, "build_id", build_id_text(summary->build_id).digits);
  json_unsigned(json, "file_size", summary->file_size);
  json_unsigned(json, "tables_offset", summary->tables_offset);
  json_unsigned(json, "tables_size", summary->tables_size);
  json_unsigned(json, "words", summary->words);
  json_unsigned(json, "accesses", summary->accesses);
  json_unsigned(json, "thread_local_size", summary->thread_local_size);
  json_unsigned(json, "constructors", summary->constructors);
  json_unsigned(json, "destructors", summary->destructors);
  json_string(json, "init_function", summary->init_function);
  json_unsigned(json, "export_count", summary->exports);
  json_unsigned(json, "import_count", summary->imports);
  json_unsigned(json, "closure_count", summary->closure);
}

static void write_area(struct json *json, const struct inspect_view *view, size_t index)
{
  const struct pkgimg_area *area = &view->summary->areas[index];
  json_string(json, "name", area->name);
  json_unsigned(json, "address", area->address);
  json_unsigned(json, "memory_size", area->memory_size);
  json_unsigned(json, "file_offset", area->file_offset);
  json_unsigned(json, "file_size", area->file_size);
  json_string(json, "protection", protection_text(area->protection).letters);
}

static void write_dependency(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_dependency dependency = pkgimg_inspection_dependency(view->inspection, index);
  json_string(json, "name", dependency.name);
  json_string(json, "build_id", build_id_text(dependency.build_id).digits);
  json_truth(json, "direct", dependency.direct);
}

static void write_export(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_export symbol = pkgimg_inspection_export(view->inspection, index);
  json_string(json, "name", symbol.name);
  json_unsigned(json, "address", symbol.address);
  json_unsigned(json, "size", symbol.size);
  json_string(json, "kind", symbol.kind);
  json_string(json, "binding", symbol.binding);
}

static void write_import(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_import symbol = pkgimg_inspection_import(view->inspection, index);
  json_string(json, "name", symbol.name);
  json_string(json, "version", symbol.version);
  json_string(json, "kind", symbol.kind);
  json_truth(json, "weak", symbol.weak);
  json_unsigned(json, "uses", symbol.uses);
}

static void write_target(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_target target = pkgimg_inspection_target(view->inspection, index);
  json_string(json, "name", target.name);
  json_string(json, "features", target.features);
  json_string(json, "missing", target.missing);
  json_unsigned(json, "bodies", target.bodies);
}

static void write_clone(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_clone clone = pkgimg_inspection_clone(view->inspection, index);
  json_string(json, "name", clone.name);
  json_unsigned(json, "bodies", clone.bodies);
  json_unsigned(json, "chosen", clone.chosen);
}

static void write_addresses(void *context, const uint64_t *addresses, size_t count)
{
  for (size_t i = 0; i < count; i++)
    json_unsigned(context, NULL, addresses[i]);
}

void inspect_write_addresses(struct json *json, const struct inspect_view *view, inspect_sites *sites, size_t set)
{
  if (!view->sites)
    return;
  json_open(json, "addresses", '[');
  inspect_each_sites(view, sites, set, write_addresses, json);
  json_close(json, ']');
}

void inspect_write_set(struct json *json, const struct pkgimg_site_set *set)
{
  json_string(json, "target", set->target);
  json_unsigned(json, "count", set->count);
  json_unsigned(json, "bytes", set->bytes);
  json_unsigned(json, "arrays", set->arrays);
  json_unsigned(json, "bitsets", set->bitsets);
  json_unsigned(json, "runs", set->runs);
}

static void write_site_set(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_site_set set = pkgimg_inspection_site_set(view->inspection, index);
  inspect_write_set(json, &set);
  inspect_write_addresses(json, view, pkgimg_inspection_sites, index);
}

static void write_residual(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_residual residual = pkgimg_inspection_residual(view->inspection, index);
  json_unsigned(json, "address", residual.address);
  json_string(json, "type", residual.type);
  json_string(json, "symbol", residual.symbol);
  json_signed(json, "addend", residual.addend);
}

void inspect_print_json(const struct inspect_view *view)
{
  struct json json = {.file = stdout};
  json_open(&json, NULL, '{');
  write_header(&json, view);
  inspect_write_list(&json, "areas", view, PKGIMG_AREA_COUNT, write_area);
  inspect_write_list(&json, "dependencies", view, view->summary->closure, write_dependency);
  inspect_write_list(&json, "targets", view, view->summary->targets, write_target);
  inspect_write_list(&json, "clones", view, view->summary->clones, write_clone);
  inspect_write_types(&json, view);
  if (view->symbols) {
    inspect_write_list(&json, "exports", view, view->summary->exports, write_export);
    inspect_write_list(&json, "imports", view, view->summary->imports, write_import);
  }
  inspect_write_list(&json, "site_sets", view, view->summary->site_sets, write_site_set);
  inspect_write_list(&json, "residuals", view, view->summary->residuals, write_residual);
  inspect_write_captured(&json, view);
  json_close(&json, '}');
  putchar('\n');
}
