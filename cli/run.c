// SPDX-License-Identifier: MIT
//
// `pkgimg run`: load, initialise, call the entry, leave with its result.
#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/options.h"
#include "cli/stats.h"

#include <pkgimg/pkgimg.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: pkgimg run IMAGE|BUNDLE [OPTION]... [-- ARGUMENT...]\n"
    "\n"
    "Load IMAGE and its dependencies, or the main image of BUNDLE, initialise them, and call\n"
    "`int main(int argc, char **argv)`. Its result is the exit status.\n"
    "\n"
    "  -e, --entry=SYMBOL   call this function instead of main\n"
    "  -p, --path=DIR       look for dependencies here too; may be repeated\n"
    "      --prefetch=HOW   auto (default), none, plain (readahead) or ring (io_uring)\n"
    "      --cpu-mask=LIST  use no code that needs these processor features, such as avx512f,fma;\n"
    "                       default: PKGIMG_CPU_MASK\n"
    "      --max-vector-width=BITS\n"
    "                       use no code with wider vectors: 128, 256 or 512\n"
    "      --verify         check every byte of each file before it is mapped\n"
    "      --record         store which pages of BUNDLE this start touches in BUNDLE.pages, so that a\n"
    "                       start from the disk reads these at once\n"
    "  -s, --stats[=HOW]    text (default) or json: afterwards, show on standard error what the load has cost\n"
    "  -h, --help           show this text\n"
    "\n"
    "If the image cannot be run, the exit status is 127 (the image or a dependency is not found),\n"
    "126 (broken image, undefined symbol, unsupported content), 125 (any other failure) or 2 (usage).\n";

enum report { REPORT_NONE, REPORT_TEXT, REPORT_JSON };

struct run {
  const char *image;
  const char *entry;
  const char **path;
  size_t path_count;
  int prefetch;
  unsigned flags;
  const char *cpu_mask;
  unsigned vector_bits;
  int report;
  int argc;  ///< of the entry
  char **argv;
  struct pkgimg_runtime *runtime;
};

enum { OPTION_PREFETCH = OPTION_LONG, OPTION_CPU_MASK, OPTION_MAX_VECTOR_WIDTH, OPTION_VERIFY, OPTION_RECORD };
static const struct option option_names[] = {
    {"entry", required_argument, NULL, 'e'},
    {"path", required_argument, NULL, 'p'},
    {"prefetch", required_argument, NULL, OPTION_PREFETCH},
    {"cpu-mask", required_argument, NULL, OPTION_CPU_MASK},
    {"max-vector-width", required_argument, NULL, OPTION_MAX_VECTOR_WIDTH},
    {"verify", no_argument, NULL, OPTION_VERIFY},
    {"record", no_argument, NULL, OPTION_RECORD},
    {"stats", optional_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};
static const struct options run_options = {"-:e:p:s::h", option_names};

static const struct choice prefetch_choices[] = {
    {"auto", PKGIMG_PREFETCH_AUTO},
    {"none", PKGIMG_PREFETCH_NONE},
    {"plain", PKGIMG_PREFETCH_PLAIN},
    {"ring", PKGIMG_PREFETCH_RING},
    {NULL, 0},
};
static const struct choice report_choices[] = {{"text", REPORT_TEXT}, {"json", REPORT_JSON}, {NULL, 0}};

static bool take_image(struct run *run, const char *argument)
{
  if (!run->image) {
    run->image = argument;
    return true;
  }
  usage_error("unexpected argument %s: arguments of the program stand after --", argument);
  return false;
}

static bool take_option(struct run *run, int option, char **argv)
{
  switch (option) {
  case OPTION_ARGUMENT:
    return take_image(run, optarg);
  case 'e':
    run->entry = optarg;
    return true;
  case 'p':
    run->path[run->path_count++] = optarg;
    return true;
  case OPTION_PREFETCH:
    return option_choice("prefetch", prefetch_choices, optarg, &run->prefetch);
  case OPTION_CPU_MASK:
    run->cpu_mask = optarg;
    return true;
  case OPTION_MAX_VECTOR_WIDTH:
    return option_vector_width(optarg, &run->vector_bits);
  case OPTION_VERIFY:
    run->flags |= PKGIMG_RUNTIME_VERIFY;
    return true;
  case OPTION_RECORD:
    run->flags |= PKGIMG_RUNTIME_RECORD;
    return true;
  case 's':
    run->report = REPORT_TEXT;
    return !optarg || option_choice("stats", report_choices, optarg, &run->report);
  default:
    options_mistake(&run_options, option, argv);
    return false;
  }
}

// The entry's arguments are the end of ours, in place, with the image where `--` or the last
// option was.
static bool take_arguments(struct run *run, int argc, char **argv)
{
  int first = optind;
  if (!run->image && first < argc)
    run->image = argv[first++];
  if (!run->image) {
    usage_error("run: which image?");
    return false;
  }
  argv[first - 1] = (char *)run->image;
  run->argc = argc - (first - 1);
  run->argv = argv + (first - 1);
  return true;
}

// -1: go on; else the exit code.
static int parse(struct run *run, int argc, char **argv)
{
  int option;
  options_begin();
  while ((option = options_next(&run_options, argc, argv)) != -1) {
    if (option == 'h') {
      fputs(help, stdout);
      return EXIT_FINE;
    }
    if (!take_option(run, option, argv))
      return EXIT_USAGE;
  }
  return take_arguments(run, argc, argv) ? -1 : EXIT_USAGE;
}

// What the exit handler prints: atexit passes nothing, hence a static object.
static struct {
  FILE *file;  ///< standard error, kept open even if the program closes it
  enum report format;
  bool taken;
  struct pkgimg_stats stats;
  struct page_report pages;
  struct pkgimg_runtime *runtime;
} report;

static void print_report(void)
{
  if (!report.taken)
    return;
  fflush(stdout);
  page_report_take(&report.pages, report.runtime, true);
  if (report.format == REPORT_JSON)
    stats_print_json(report.file, &report.stats, &report.pages);
  else
    stats_print_text(report.file, &report.stats, &report.pages);
  fflush(report.file);
}

// Registered before anything is loaded, so that the report comes after the destructors of images.
static void prepare_report(enum report format)
{
  if (format == REPORT_NONE)
    return;
  int copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);  // well away from numbers that the program may expect
  report.file = copy < 0 ? stderr : fdopen(copy, "w");
  report.format = format;
  if (report.file)
    atexit(print_report);
}

// The start is over when the entry returns, or when the program ends without that. atexit again, hence a static
// object.
static struct pkgimg_runtime *recorded;

static void end_record(void)
{
  struct pkgimg_error error;
  struct pkgimg_runtime *runtime = recorded;
  recorded = NULL;
  if (runtime && pkgimg_record_end(runtime, &error))
    print_error(&error);
}

static enum pkgimg_status take_report(struct pkgimg_runtime *runtime, struct pkgimg_error *error)
{
  report.stats.size = sizeof report.stats;
  enum pkgimg_status status = pkgimg_runtime_stats(runtime, &report.stats, error);
  report.taken = status == PKGIMG_OK && report.file;
  report.runtime = runtime;
  if (report.taken)
    page_report_take(&report.pages, runtime, false);
  return status;
}

static enum pkgimg_status open_runtime(struct run *run, struct pkgimg_error *error)
{
  struct pkgimg_runtime_options options = {
      .size = sizeof options,
      .search_path = run->path,
      .search_path_count = run->path_count,
      .prefetch = (enum pkgimg_prefetch)run->prefetch,
      .flags = run->flags,
      .cpu_mask = run->cpu_mask,
      .max_vector_bits = run->vector_bits,
  };
  return pkgimg_runtime_open(&options, &run->runtime, error);
}

static enum pkgimg_status load_entry(struct run *run, void **entry, struct pkgimg_error *error)
{
  struct pkgimg_image *image;
  enum pkgimg_status status = open_runtime(run, error);
  if (!status)
    status = pkgimg_load(run->runtime, run->image, &image, error);
  if (!status)
    status = pkgimg_init(image, error);
  if (!status)
    status = pkgimg_symbol(image, run->entry, entry, error);
  if (!status)
    status = take_report(run->runtime, error);
  if (!status && run->flags & PKGIMG_RUNTIME_RECORD)
    recorded = run->runtime;
  return status;
}

// The runtime stays open: like a program's own libraries, images end with the process, and exit
// runs their destructors. A `main` may have a third parameter, as from the C library; a function
// of two ignores it (System V psABI: the caller passes and owns the registers).
static void call_entry(const struct run *run, void *entry)
{
  int (*function)(int, char **, char **);
  memcpy(&function, &entry, sizeof function);
  int result = function(run->argc, run->argv, environ);
  end_record();
  exit(result);
}

// Returns only if the entry could not be called.
static int load_and_call(struct run *run)
{
  struct pkgimg_error error;
  void *entry;
  prepare_report((enum report)run->report);
  if (run->flags & PKGIMG_RUNTIME_RECORD)
    atexit(end_record);
  enum pkgimg_status status = load_entry(run, &entry, &error);
  if (!status)
    call_entry(run, entry);
  print_error(&error);
  pkgimg_runtime_close(run->runtime);
  return (int)run_exit_code_of(status);
}

int command_run(int argc, char **argv)
{
  struct run run = {.entry = "main"};
  run.path = calloc((size_t)argc, sizeof *run.path);
  if (!run.path)
    return (int)system_error("run");
  int code = parse(&run, argc, argv);
  if (code < 0)
    code = load_and_call(&run);
  free(run.path);
  return code;
}
