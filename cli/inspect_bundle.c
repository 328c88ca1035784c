// SPDX-License-Identifier: MIT
//
// A bundle, for people and for programs. Names only reach the terminal through print_text.
#include "cli/inspect.h"
#include "cli/json.h"
#include "cli/text.h"

#include <inttypes.h>

static void print_header(const char *path, const struct pkgimg_bundle_summary *summary)
{
  struct style style = style_of(stdout);
  printf("%s", style.bold);
  print_text(stdout, path);
  printf("%s\n  bundle of      %zu images\n", style.off, summary->images);
  printf("  machine        %s\n", summary->machine);
  printf("  needs          %s\n", *summary->features ? summary->features : "any processor of it");
  printf("  drawn per      %s\n", summary->aslr);
  printf("  format         %" PRIu32 "\n", summary->format_version);
  printf("  build id       %s\n", build_id_text(summary->build_id).digits);
  printf("  file           %" PRIu64 " bytes\n", summary->file_size);
  printf("  types          %zu, stated %zu times\n", summary->types, summary->type_statements);
  printf("  left to do     %zu functions of the host, %zu words\n", summary->gates, summary->residuals);
}

static void print_blocks(const struct pkgimg_bundle_inspection *inspection, size_t count)
{
  inspect_print_heading("Blocks", count);
  printf("  %-5s %16s %12s %12s\n", "block", "address", "bytes", "file offset");
  for (size_t i = 0; i < count; i++) {
    struct pkgimg_area block = pkgimg_bundle_inspection_block(inspection, i);
    printf("  %-5s %#16" PRIx64 " %12" PRIu64 " %#12" PRIx64 "  %s\n", block.name, block.address,
           block.memory_size, block.file_offset, protection_text(block.protection).letters);
  }
}

static void print_images(const struct pkgimg_bundle_inspection *inspection,
                         const struct pkgimg_bundle_summary *summary)
{
  inspect_print_heading("Images", summary->images);
  printf("  %16s %10s %10s %6s %6s %6s  %-4s  name\n", "address", "bytes", "heap", "needs", "gates", "words",
         "does");
  for (size_t i = 0; i < summary->images; i++) {
    struct pkgimg_bound_image image = pkgimg_bundle_inspection_image(inspection, i);
    printf("  %#16" PRIx64 " %10" PRIu64 " %10" PRIu64 " %6zu %6zu %6zu  %-4s  ", image.address, image.size,
           image.heap_size, image.dependencies, image.gates, image.residuals,
           image.has_work   ? image.has_init ? "both" : "work"
           : image.has_init ? "init"
                            : "-");
    print_text(stdout, image.name);
    printf("%s\n", i == summary->main_image ? " (main)" : "");
  }
}

static void print_gates(const struct pkgimg_bundle_inspection *inspection,
                        const struct pkgimg_bundle_summary *summary)
{
  inspect_print_heading("Functions of the host", summary->gates);
  for (size_t i = 0; i < summary->gates; i++) {
    struct pkgimg_import gate = pkgimg_bundle_inspection_gate(inspection, i);
    printf("  %6zu images  ", gate.uses);
    inspect_print_import(&gate);
  }
}

void inspect_bundle_text(const struct inspect_view *view)
{
  const struct pkgimg_bundle_summary *summary = pkgimg_bundle_inspection_summary(view->bundle);
  print_header(view->path, summary);
  print_blocks(view->bundle, summary->regions * PKGIMG_BLOCK_COUNT);
  print_images(view->bundle, summary);
  if (view->symbols)
    print_gates(view->bundle, summary);
}

static void write_block(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_area block = pkgimg_bundle_inspection_block(view->bundle, index);
  json_string(json, "name", block.name);
  json_hex(json, "address", block.address);
  json_unsigned(json, "size", block.memory_size);
  json_unsigned(json, "file_offset", block.file_offset);
  json_string(json, "protection", protection_text(block.protection).letters);
}

static void write_image(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_bound_image image = pkgimg_bundle_inspection_image(view->bundle, index);
  json_string(json, "name", image.name);
  json_string(json, "path", image.path);
  json_string(json, "build_id", build_id_text(image.build_id).digits);
  json_hex(json, "address", image.address);
  json_unsigned(json, "size", image.size);
  json_unsigned(json, "heap_size", image.heap_size);
  json_truth(json, "has_work", image.has_work);
  json_truth(json, "has_init", image.has_init);
  json_unsigned(json, "dependencies", image.dependencies);
  json_unsigned(json, "gates", image.gates);
  json_unsigned(json, "residuals", image.residuals);
  json_unsigned(json, "clones", image.clones);
}

static void write_gate(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_import gate = pkgimg_bundle_inspection_gate(view->bundle, index);
  json_string(json, "name", gate.name);
  json_string(json, "version", gate.version);
  json_unsigned(json, "uses", gate.uses);
}

void inspect_bundle_json(const struct inspect_view *view)
{
  const struct pkgimg_bundle_summary *summary = pkgimg_bundle_inspection_summary(view->bundle);
  struct json json = {.file = stdout};
  json_open(&json, NULL, '{');
  json_string(&json, "file", view->path);
  json_string(&json, "machine", summary->machine);
  json_string(&json, "features", summary->features);
  json_string(&json, "aslr", summary->aslr);
  json_unsigned(&json, "format_version", summary->format_version);
  json_string(&json, "build_id", build_id_text(summary->build_id).digits);
  json_unsigned(&json, "file_size", summary->file_size);
  json_hex(&json, "base", summary->base);
  json_unsigned(&json, "main_image", summary->main_image);
  json_unsigned(&json, "gate_count", summary->gates);
  json_unsigned(&json, "import_count", summary->imports);
  json_unsigned(&json, "residual_count", summary->residuals);
  json_unsigned(&json, "type_count", summary->types);
  json_unsigned(&json, "type_statement_count", summary->type_statements);
  inspect_write_list(&json, "blocks", view, summary->regions * PKGIMG_BLOCK_COUNT, write_block);
  inspect_write_list(&json, "images", view, summary->images, write_image);
  if (view->symbols)
    inspect_write_list(&json, "gates", view, summary->gates, write_gate);
  json_close(&json, '}');
  putchar('\n');
}
