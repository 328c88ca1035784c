// SPDX-License-Identifier: MIT
//
// What was captured, of an inspection, as text and as JSON.
#include "cli/inspect.h"
#include "cli/text.h"

#include <inttypes.h>

// ---- text

static void print_heap(const struct pkgimg_summary *summary)
{
  const struct pkgimg_heap *heap = &summary->heap;
  struct style style = style_of(stdout);
  printf("\n%sCaptured heap%s\n", style.bold, style.off);
  printf("  in memory      %" PRIu64 " bytes\n", heap->size);
  printf("  objects        %" PRIu64 " of %" PRIu64 " bytes\n", heap->objects, heap->object_bytes);
  printf("  compression    %s", heap->compression);
  if (heap->unpack_nanoseconds)
    printf(": %" PRIu64 " bytes, %.0f %%; a load unpacks it (here and now in %.3f ms)", heap->stored_size,
           100.0 * (double)heap->stored_size / (double)heap->size, (double)heap->unpack_nanoseconds / 1e6);
  printf("\n  load           %s; %" PRIu64 " of %" PRIu64 " pages have words to relocate\n",
         heap->mapped ? "mapped" : "read", heap->dirty_pages, heap->size / 4096);
}

static void print_sets(const struct inspect_view *view)
{
  inspect_print_heading("Sets of captured sites", view->summary->captured_sets);
  if (view->summary->captured_sets)
    printf("  %10s %10s %8s %8s %8s  %-5s %-6s %s\n", "sites", "bytes", "arrays", "bitsets", "runs", "in", "kind",
           "pointing into");
  for (size_t i = 0; i < view->summary->captured_sets; i++) {
    struct pkgimg_captured_set set = pkgimg_inspection_captured_set(view->inspection, i);
    inspect_print_set(&set.sites);
    printf("%-5s %-6s ", set.place, set.kind);
    inspect_print_name(set.sites.target);
    inspect_print_addresses(view, pkgimg_inspection_captured_sites, i);
  }
}

static void print_roots(const struct inspect_view *view)
{
  inspect_print_heading("Roots", view->summary->roots);
  for (size_t i = 0; i < view->summary->roots; i++) {
    struct pkgimg_named_root root = pkgimg_inspection_root(view->inspection, i);
    printf("  %#12" PRIx64 "  ", root.address);
    print_text(stdout, root.name);
    printf("%s", root.symbol ? "  in " : "");
    inspect_print_name(root.symbol ? root.symbol : "");
  }
}

void inspect_print_captured(const struct inspect_view *view)
{
  if (view->summary->heap.size)
    print_heap(view->summary);
  print_sets(view);
  print_roots(view);
  inspect_print_heading("Calls at the end of each process", view->summary->exits);
}

// ---- JSON

static void write_heap(struct json *json, const struct pkgimg_heap *heap)
{
  json_open(json, "heap", '{');
  json_unsigned(json, "size", heap->size);
  json_unsigned(json, "stored_size", heap->stored_size);
  json_string(json, "compression", heap->compression);
  json_truth(json, "mapped", heap->mapped);
  json_unsigned(json, "dirty_pages", heap->dirty_pages);
  json_unsigned(json, "objects", heap->objects);
  json_unsigned(json, "object_bytes", heap->object_bytes);
  json_unsigned(json, "unpack_nanoseconds", heap->unpack_nanoseconds);
  json_close(json, '}');
}

static void write_set(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_captured_set set = pkgimg_inspection_captured_set(view->inspection, index);
  json_string(json, "place", set.place);
  json_string(json, "kind", set.kind);
  inspect_write_set(json, &set.sites);
  inspect_write_addresses(json, view, pkgimg_inspection_captured_sites, index);
}

static void write_root(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_named_root root = pkgimg_inspection_root(view->inspection, index);
  json_string(json, "name", root.name);
  json_unsigned(json, "address", root.address);
  json_string(json, "symbol", root.symbol);
}

void inspect_write_captured(struct json *json, const struct inspect_view *view)
{
  json_truth(json, "constructed", view->summary->constructed);
  write_heap(json, &view->summary->heap);
  inspect_write_list(json, "captured_sets", view, view->summary->captured_sets, write_set);
  inspect_write_list(json, "roots", view, view->summary->roots, write_root);
  json_unsigned(json, "exits", view->summary->exits);
}
