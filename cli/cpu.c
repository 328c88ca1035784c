// SPDX-License-Identifier: MIT
//
// `pkgimg cpu`: this machine, or what a target string asks for; how it is shown is decided elsewhere.
#include "cli/cpu.h"

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/options.h"
#include "cli/text.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: pkgimg cpu [OPTION]...\n"
    "\n"
    "Show this machine's processor and the features that programs can use, under LLVM's names.\n"
    "\n"
    "      --cpu-target S        show instead what the target string S asks for; help: list names\n"
    "      --cpu-mask F          hide features and all that need them: avx2,avx512f or -avx2\n"
    "      --max-vector-width N  take targets with vectors of more than N bits for not usable\n"
    "      --arch A              of the target string: x86-64 or aarch64; this machine's by default\n"
    "      --json                print one JSON object\n"
    "  -h, --help                show this text\n"
    "\n"
    "A target string is cpu[,word]...[;cpu...]. cpu is a name, generic or native. A word is a feature, with or\n"
    "without + or -, or clone_all, -clone_all, base(n), opt_size, min_size. PKGIMG_CPU_MASK holds a mask, too.\n";

enum { OPTION_JSON = OPTION_LONG, OPTION_TARGET, OPTION_MASK, OPTION_WIDTH, OPTION_ARCH };
static const struct option option_names[] = {
    {"json", no_argument, NULL, OPTION_JSON},
    {"cpu-target", required_argument, NULL, OPTION_TARGET},
    {"cpu-mask", required_argument, NULL, OPTION_MASK},
    {"max-vector-width", required_argument, NULL, OPTION_WIDTH},
    {"arch", required_argument, NULL, OPTION_ARCH},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};
static const struct options cpu_options = {"-:h", option_names};

struct request {
  const char *mask, *target, *architecture;
  unsigned width;
  bool as_json;
};

static int report(const struct pkgimg_error *error)
{
  print_error(error);
  return (int)exit_code_of(error->status);
}

static int show_targets(struct cpu_view *view, const struct request *request,
                        void (*print)(const struct cpu_view *view))
{
  struct pkgimg_cpu_targets_options options = {
      .size = sizeof options, .architecture = request->architecture, .max_vector_bits = request->width};
  struct pkgimg_cpu_targets *targets;
  struct pkgimg_error error;
  if (pkgimg_cpu_targets_open(view->cpu, request->target, &options, &targets, &error))
    return report(&error);
  view->targets = targets;
  view->names = pkgimg_cpu_targets_count(targets) == 0;
  print(view);
  pkgimg_cpu_targets_close(targets);
  return EXIT_FINE;
}

static int show(const struct request *request)
{
  void (*print)(const struct cpu_view *view) = request->as_json ? cpu_print_json : cpu_print_text;
  struct cpu_view view = {.architecture = request->architecture};
  struct pkgimg_cpu *cpu;
  struct pkgimg_error error;
  int code = EXIT_FINE;
  if (pkgimg_cpu_open(request->mask, &cpu, &error))
    return report(&error);
  view.cpu = cpu;
  if (request->target)
    code = show_targets(&view, request, print);
  else
    print(&view);
  pkgimg_cpu_close(cpu);
  return code;
}

static bool take_option(struct request *request, int option)
{
  switch (option) {
  case OPTION_JSON:
    request->as_json = true;
    return true;
  case OPTION_TARGET:
    request->target = optarg;
    return true;
  case OPTION_MASK:
    request->mask = optarg;
    return true;
  case OPTION_WIDTH:
    return option_number("max-vector-width", optarg, 1u << 16, &request->width);
  case OPTION_ARCH:
    request->architecture = optarg;
    return true;
  default:
    usage_error("unexpected argument %s: cpu takes options only", optarg);
    return false;
  }
}

int command_cpu(int argc, char **argv)
{
  struct request request = {0};
  int option;
  options_begin();
  while ((option = options_next(&cpu_options, argc, argv)) != -1) {
    if (option == 'h') {
      fputs(help, stdout);
      return EXIT_FINE;
    }
    if (option == '?' || option == ':') {
      options_mistake(&cpu_options, option, argv);
      return EXIT_USAGE;
    }
    if (!take_option(&request, option))
      return EXIT_USAGE;
  }
  if (optind < argc)
    return (int)usage_error("unexpected argument %s: cpu takes options only", argv[optind]);
  if (!request.target && (request.width || request.architecture))
    return (int)usage_error("cpu: --%s is for --cpu-target", request.width ? "max-vector-width" : "arch");
  return show(&request);
}
