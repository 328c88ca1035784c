// SPDX-License-Identifier: MIT
//
// An inspection as sections of text. Names come from a file that may be hostile: they only reach
// the terminal through print_text.
#include "cli/inspect.h"
#include "cli/text.h"

#include <inttypes.h>

void inspect_print_heading(const char *heading, uint64_t count)
{
  struct style style = style_of(stdout);
  printf("\n%s%s%s (%" PRIu64 ")\n", style.bold, heading, style.off, count);
}

void inspect_print_name(const char *name)
{
  print_text(stdout, name);
  putchar('\n');
}

void inspect_print_import(const struct pkgimg_import *import)
{
  print_text(stdout, import->name);
  printf("%s", import->version ? "@" : "");
  inspect_print_name(import->version ? import->version : "");
}

static void print_header(const struct inspect_view *view)
{
  const struct pkgimg_summary *summary = view->summary;
  struct style style = style_of(stdout);
  printf("%s", style.bold);
  print_text(stdout, view->path);
  printf("%s\n  package        ", style.off);
  inspect_print_name(summary->name);
  printf("  machine        %s\n", summary->machine);
  printf("  system image   %s\n  cpu target     ", summary->sysimage ? "yes" : "no");
  inspect_print_name(summary->cpu_target ? summary->cpu_target : "none");
  printf("  format         %" PRIu32 "\n", summary->format_version);
  printf("  build id       %s\n", build_id_text(summary->build_id).digits);
  printf("  file           %" PRIu64 " bytes\n", summary->file_size);
  printf("  tables         %" PRIu64 " bytes at 0x%" PRIx64 "\n", summary->tables_size, summary->tables_offset);
  printf("  words          %" PRIu64 "\n", summary->words);
  printf("  accesses       %" PRIu64 "\n", summary->accesses);
  printf("  thread-local   %" PRIu64 " bytes\n", summary->thread_local_size);
  printf("  constructors   %zu%s\n", summary->constructors, summary->constructed ? ", which ran at build time" : "");
  printf("  destructors    %zu\n", summary->destructors);
  printf("  init function  ");
  inspect_print_name(summary->init_function ? summary->init_function : "none");
}

static void print_areas(const struct pkgimg_summary *summary)
{
  inspect_print_heading("Areas", PKGIMG_AREA_COUNT);
  printf("  %-4s %12s %12s %12s %12s\n", "area", "address", "in memory", "file offset", "in file");
  for (int i = 0; i < PKGIMG_AREA_COUNT; i++) {
    const struct pkgimg_area *area = &summary->areas[i];
    printf("  %-4s %#12" PRIx64 " %12" PRIu64 " %#12" PRIx64 " %12" PRIu64 "  %s\n", area->name, area->address,
           area->memory_size, area->file_offset, area->file_size, protection_text(area->protection).letters);
  }
}

static void print_dependencies(const struct inspect_view *view)
{
  inspect_print_heading("Dependencies", view->summary->closure);
  for (size_t i = 0; i < view->summary->closure; i++) {
    struct pkgimg_dependency dependency = pkgimg_inspection_dependency(view->inspection, i);
    printf("  %s  %-8s  ", build_id_text(dependency.build_id).digits, dependency.direct ? "direct" : "indirect");
    inspect_print_name(dependency.name);
  }
}

static void print_exports(const struct inspect_view *view)
{
  inspect_print_heading("Exports", view->summary->exports);
  for (size_t i = 0; view->symbols && i < view->summary->exports; i++) {
    struct pkgimg_export symbol = pkgimg_inspection_export(view->inspection, i);
    printf("  %#12" PRIx64 " %8" PRIu64 "  %-12s  %-6s  ", symbol.address, symbol.size, symbol.kind,
           symbol.binding);
    inspect_print_name(symbol.name);
  }
}

static void print_imports(const struct inspect_view *view)
{
  inspect_print_heading("Imports from the host", view->summary->imports);
  for (size_t i = 0; view->symbols && i < view->summary->imports; i++) {
    struct pkgimg_import symbol = pkgimg_inspection_import(view->inspection, i);
    printf("  %6zu uses  %-12s  %-6s  ", symbol.uses, symbol.kind, symbol.weak ? "weak" : "global");
    inspect_print_import(&symbol);
  }
}

static void print_addresses(void *context, const uint64_t *addresses, size_t count)
{
  (void)context;
  for (size_t i = 0; i < count; i++)
    printf("      %#12" PRIx64 "\n", addresses[i]);
}

void inspect_print_addresses(const struct inspect_view *view, inspect_sites *sites, size_t set)
{
  if (view->sites)
    inspect_each_sites(view, sites, set, print_addresses, NULL);
}

void inspect_print_set(const struct pkgimg_site_set *set)
{
  printf("  %10" PRIu64 " %10" PRIu64 " %8" PRIu32 " %8" PRIu32 " %8" PRIu32 "  ", set->count, set->bytes,
         set->arrays, set->bitsets, set->runs);
}

static void print_sites(const struct inspect_view *view)
{
  inspect_print_heading("Sets of sites", view->summary->site_sets);
  printf("  %10s %10s %8s %8s %8s  %s\n", "sites", "bytes", "arrays", "bitsets", "runs", "pointing into");
  for (size_t i = 0; i < view->summary->site_sets; i++) {
    struct pkgimg_site_set set = pkgimg_inspection_site_set(view->inspection, i);
    inspect_print_set(&set);
    inspect_print_name(set.target);
    inspect_print_addresses(view, pkgimg_inspection_sites, i);
  }
}

static void print_residuals(const struct inspect_view *view)
{
  inspect_print_heading("Residual relocations", view->summary->residuals);
  for (size_t i = 0; i < view->summary->residuals; i++) {
    struct pkgimg_residual residual = pkgimg_inspection_residual(view->inspection, i);
    printf("  %#12" PRIx64 "  %-20s  ", residual.address, residual.type);
    print_text(stdout, residual.symbol ? residual.symbol : "");
    printf(" %c 0x%" PRIx64 "\n", residual.addend < 0 ? '-' : '+',
           residual.addend < 0 ? -(uint64_t)residual.addend : (uint64_t)residual.addend);
  }
}

static void print_targets(const struct inspect_view *view)
{
  inspect_print_heading("Targets", view->summary->targets);
  for (size_t i = 0; i < view->summary->targets; i++) {
    struct pkgimg_target target = pkgimg_inspection_target(view->inspection, i);
    printf("  %2zu  ", i);
    print_text(stdout, target.name);
    printf(", %zu %s%s%s\n", target.bodies, target.bodies == 1 ? "body" : "bodies",
           *target.missing ? "; this machine lacks " : "", target.missing);
  }
}

static void print_bodies(uint64_t bodies)
{
  for (unsigned target = 0; bodies; target++, bodies >>= 1)
    if (bodies & 1)
      printf("%u%s", target, bodies > 1 ? "," : "");
}

static void print_clones(const struct inspect_view *view)
{
  inspect_print_heading("Functions with several bodies", view->summary->clones);
  for (size_t i = 0; view->symbols && i < view->summary->clones; i++) {
    struct pkgimg_clone clone = pkgimg_inspection_clone(view->inspection, i);
    printf("  runs %2u of ", clone.chosen);
    print_bodies(clone.bodies);
    printf("  ");
    inspect_print_name(clone.name);
  }
}

void inspect_print_text(const struct inspect_view *view)
{
  print_header(view);
  print_areas(view->summary);
  print_dependencies(view);
  print_exports(view);
  print_imports(view);
  print_sites(view);
  print_residuals(view);
  print_targets(view);
  print_clones(view);
  inspect_print_types(view);
  inspect_print_captured(view);
}
