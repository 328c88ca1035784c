// SPDX-License-Identifier: MIT
//
// An inspection as one JSON object. Keys are the members of the structs in pkgimg/inspect.h.
#include "cli/inspect.h"
#include "cli/json.h"
#include "cli/text.h"

#include <stdio.h>

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
  json_unsigned(json, "thread_local_size", summary->thread_local_size);
  json_unsigned(json, "constructors", summary->constructors);
  json_unsigned(json, "destructors", summary->destructors);
  json_string(json, "init_function", summary->init_function);
  json_unsigned(json, "export_count", summary->exports);
  json_unsigned(json, "import_count", summary->imports);
  json_unsigned(json, "closure_count", summary->closure);
}

static void write_areas(struct json *json, const struct pkgimg_summary *summary)
{
  json_open(json, "areas", '[');
  for (int i = 0; i < PKGIMG_AREA_COUNT; i++) {
    const struct pkgimg_area *area = &summary->areas[i];
    json_open(json, NULL, '{');
    json_string(json, "name", area->name);
    json_unsigned(json, "address", area->address);
    json_unsigned(json, "memory_size", area->memory_size);
    json_unsigned(json, "file_offset", area->file_offset);
    json_unsigned(json, "file_size", area->file_size);
    json_string(json, "protection", protection_text(area->protection).letters);
    json_close(json, '}');
  }
  json_close(json, ']');
}

static void write_dependencies(struct json *json, const struct inspect_view *view)
{
  json_open(json, "dependencies", '[');
  for (size_t i = 0; i < view->summary->closure; i++) {
    struct pkgimg_dependency dependency = pkgimg_inspection_dependency(view->inspection, i);
    json_open(json, NULL, '{');
    json_string(json, "name", dependency.name);
    json_string(json, "build_id", build_id_text(dependency.build_id).digits);
    json_truth(json, "direct", dependency.direct);
    json_close(json, '}');
  }
  json_close(json, ']');
}

static void write_exports(struct json *json, const struct inspect_view *view)
{
  json_open(json, "exports", '[');
  for (size_t i = 0; i < view->summary->exports; i++) {
    struct pkgimg_export symbol = pkgimg_inspection_export(view->inspection, i);
    json_open(json, NULL, '{');
    json_string(json, "name", symbol.name);
    json_unsigned(json, "address", symbol.address);
    json_unsigned(json, "size", symbol.size);
    json_string(json, "kind", symbol.kind);
    json_string(json, "binding", symbol.binding);
    json_close(json, '}');
  }
  json_close(json, ']');
}

static void write_imports(struct json *json, const struct inspect_view *view)
{
  json_open(json, "imports", '[');
  for (size_t i = 0; i < view->summary->imports; i++) {
    struct pkgimg_import symbol = pkgimg_inspection_import(view->inspection, i);
    json_open(json, NULL, '{');
    json_string(json, "name", symbol.name);
    json_string(json, "version", symbol.version);
    json_string(json, "kind", symbol.kind);
    json_truth(json, "weak", symbol.weak);
    json_unsigned(json, "uses", symbol.uses);
    json_close(json, '}');
  }
  json_close(json, ']');
}

static void write_targets(struct json *json, const struct inspect_view *view)
{
  json_open(json, "targets", '[');
  for (size_t i = 0; i < view->summary->targets; i++) {
    struct pkgimg_target target = pkgimg_inspection_target(view->inspection, i);
    json_open(json, NULL, '{');
    json_string(json, "name", target.name);
    json_string(json, "features", target.features);
    json_string(json, "missing", target.missing);
    json_unsigned(json, "bodies", target.bodies);
    json_close(json, '}');
  }
  json_close(json, ']');
}

static void write_clones(struct json *json, const struct inspect_view *view)
{
  json_open(json, "clones", '[');
  for (size_t i = 0; i < view->summary->clones; i++) {
    struct pkgimg_clone clone = pkgimg_inspection_clone(view->inspection, i);
    json_open(json, NULL, '{');
    json_string(json, "name", clone.name);
    json_unsigned(json, "bodies", clone.bodies);
    json_unsigned(json, "chosen", clone.chosen);
    json_close(json, '}');
  }
  json_close(json, ']');
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
  json_open(json, NULL, '{');
  inspect_write_set(json, &set);
  inspect_write_addresses(json, view, pkgimg_inspection_sites, index);
  json_close(json, '}');
}

static void write_residuals(struct json *json, const struct inspect_view *view)
{
  json_open(json, "residuals", '[');
  for (size_t i = 0; i < view->summary->residuals; i++) {
    struct pkgimg_residual residual = pkgimg_inspection_residual(view->inspection, i);
    json_open(json, NULL, '{');
    json_unsigned(json, "address", residual.address);
    json_string(json, "type", residual.type);
    json_string(json, "symbol", residual.symbol);
    json_signed(json, "addend", residual.addend);
    json_close(json, '}');
  }
  json_close(json, ']');
}

void inspect_print_json(const struct inspect_view *view)
{
  struct json json = {.file = stdout};
  json_open(&json, NULL, '{');
  write_header(&json, view);
  write_areas(&json, view->summary);
  write_dependencies(&json, view);
  write_targets(&json, view);
  write_clones(&json, view);
  inspect_write_types(&json, view);
  if (view->symbols) {
    write_exports(&json, view);
    write_imports(&json, view);
  }
  json_open(&json, "site_sets", '[');
  for (size_t i = 0; i < view->summary->site_sets; i++)
    write_site_set(&json, view, i);
  json_close(&json, ']');
  write_residuals(&json, view);
  inspect_write_captured(&json, view);
  json_close(&json, '}');
  putchar('\n');
}
