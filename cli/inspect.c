// SPDX-License-Identifier: MIT
//
// `pkgimg inspect`: opens the file; how it is shown is decided elsewhere.
#include "cli/inspect.h"

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/options.h"

#include <stdio.h>

static const char help[] = "usage: pkgimg inspect [OPTION]... IMAGE|BUNDLE\n"
                           "\n"
                           "Check the file as verify does and show what it contains. Nothing is loaded or run.\n"
                           "\n"
                           "      --json     print one JSON object\n"
                           "  -s, --symbols  list exported and imported symbols, functions with several bodies,\n"
                           "                 and fields of types; of a bundle, functions of the host\n"
                           "      --sites    list the address of every site: each word that is relocated\n"
                           "  -h, --help     show this text\n";

enum { OPTION_JSON = OPTION_LONG, OPTION_SITES };
static const struct option option_names[] = {
    {"json", no_argument, NULL, OPTION_JSON},
    {"symbols", no_argument, NULL, 's'},
    {"sites", no_argument, NULL, OPTION_SITES},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};
static const struct options inspect_options = {"-:sh", option_names};

// Each batch walks the bitmap from its start, so batches are large.
void inspect_each_sites(const struct inspect_view *view, inspect_sites *sites, size_t set,
                        void (*each)(void *context, const uint64_t *addresses, size_t count), void *context)
{
  static uint64_t addresses[1 << 16];
  uint64_t first = 0;
  size_t count;
  while ((count = sites(view->inspection, set, first, addresses, sizeof addresses / sizeof *addresses))) {
    each(context, addresses, count);
    first += count;
  }
}

static int inspect_bundle(struct inspect_view *view, bool as_json)
{
  struct pkgimg_bundle_inspection *inspection;
  struct pkgimg_error error;
  if (pkgimg_bundle_inspection_open(view->path, &inspection, &error)) {
    print_error(&error);
    return (int)exit_code_of(error.status);
  }
  view->bundle = inspection;
  (as_json ? inspect_bundle_json : inspect_bundle_text)(view);
  pkgimg_bundle_inspection_close(inspection);
  return EXIT_FINE;
}

static int inspect(struct inspect_view *view, void (*print)(const struct inspect_view *view))
{
  struct pkgimg_inspection *inspection;
  struct pkgimg_error error;
  if (pkgimg_is_bundle(view->path))
    return inspect_bundle(view, print == inspect_print_json);
  if (pkgimg_inspection_open(view->path, &inspection, &error)) {
    print_error(&error);
    return (int)exit_code_of(error.status);
  }
  view->inspection = inspection;
  view->summary = pkgimg_inspection_summary(inspection);
  print(view);
  pkgimg_inspection_close(inspection);
  return EXIT_FINE;
}

static bool take_path(struct inspect_view *view, const char *path)
{
  if (view->path)
    usage_error("unexpected argument %s: inspect takes one image", path);
  else
    view->path = path;
  return view->path == path;
}

int command_inspect(int argc, char **argv)
{
  struct inspect_view view = {0};
  void (*print)(const struct inspect_view *view) = inspect_print_text;
  int option;
  options_begin();
  while ((option = options_next(&inspect_options, argc, argv)) != -1)
    switch (option) {
    case OPTION_ARGUMENT:
      if (!take_path(&view, optarg))
        return EXIT_USAGE;
      break;
    case OPTION_JSON:
      print = inspect_print_json;
      break;
    case 's':
      view.symbols = true;
      break;
    case OPTION_SITES:
      view.sites = true;
      break;
    case 'h':
      fputs(help, stdout);
      return EXIT_FINE;
    default:
      options_mistake(&inspect_options, option, argv);
      return EXIT_USAGE;
    }
  for (; optind < argc; optind++)
    if (!take_path(&view, argv[optind]))
      return EXIT_USAGE;
  return view.path ? inspect(&view, print) : (int)usage_error("inspect: which image?");
}
