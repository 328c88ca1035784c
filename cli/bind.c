// SPDX-License-Identifier: MIT
//
// `pkgimg bind`: images and all that they need, bound to addresses in one file.
#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/words.h"

#include <pkgimg/bind.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: pkgimg bind [OPTION]... IMAGE... -o BUNDLE\n"
    "\n"
    "Bind images, with all that they need, to addresses for one kind of host. Loading the bundle means the last\n"
    "IMAGE.\n"
    "\n"
    "  -o, --output BUNDLE        the file to make\n"
    "  -L, --dep-path FOLDER      look for dependencies there, too; may be repeated\n"
    "      --host TARGET          choose code for this processor: a target, or native (default)\n"
    "      --cpu-mask FEATURES    features that no code may use, such as avx512f,avx2; default: PKGIMG_CPU_MASK\n"
    "      --max-vector-width N   use no code with wider vectors: 128, 256 or 512 bits\n"
    "      --base ADDRESS         where it lies in memory, a multiple of 2 MiB; else drawn at random\n"
    "      --aslr WHEN            when addresses are drawn: bundle (default); boot: valid until the next start;\n"
    "                             process: never final, the images are loaded\n"
    "      --reach BYTES          how much of one area of images a region may hold, to try out several regions\n"
    "      --record BUNDLE        put images together that a recorded start of this bundle touched (pkgimg run\n"
    "                             --record); without it, of the bundle that is replaced\n"
    "      --json                 report as a JSON object\n"
    "  -h, --help                 show this text\n";

enum { OPTION_JSON = OPTION_LONG, OPTION_HOST, OPTION_MASK, OPTION_WIDTH, OPTION_BASE, OPTION_ASLR, OPTION_REACH,
       OPTION_RECORD };
static const struct option option_names[] = {
    {"output", required_argument, NULL, 'o'},
    {"dep-path", required_argument, NULL, 'L'},
    {"host", required_argument, NULL, OPTION_HOST},
    {"cpu-mask", required_argument, NULL, OPTION_MASK},
    {"max-vector-width", required_argument, NULL, OPTION_WIDTH},
    {"base", required_argument, NULL, OPTION_BASE},
    {"aslr", required_argument, NULL, OPTION_ASLR},
    {"reach", required_argument, NULL, OPTION_REACH},
    {"record", required_argument, NULL, OPTION_RECORD},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};
static const struct options bind_options = {"-:o:L:h", option_names};

struct request {
  struct pkgimg_bind_options options;
  struct words images, folders;
  bool as_json, help;
};

static bool take_address(const char *option, uint64_t *value)
{
  char *end;
  errno = 0;
  *value = strtoull(optarg, &end, 0);
  if (*optarg && !*end && errno == 0)
    return true;
  usage_error("option --%s: expected an address or a size, found \"%s\"", option, optarg);
  return false;
}

static bool take_aslr(struct request *request)
{
  static const struct choice choices[] = {
      {"bundle", PKGIMG_ASLR_BUNDLE}, {"boot", PKGIMG_ASLR_BOOT}, {"process", PKGIMG_ASLR_PROCESS}, {NULL, 0}};
  int value = 0;
  bool good = option_choice("aslr", choices, optarg, &value);
  request->options.aslr = (enum pkgimg_aslr)value;
  return good;
}

static bool take_word(struct words *words)
{
  return words_add(words, optarg, strlen(optarg)) == WORDS_OK;
}

static bool take_option(struct request *request, int option, char **argv)
{
  switch (option) {
  case OPTION_ARGUMENT:
    return take_word(&request->images);
  case 'o':
    request->options.output = optarg;
    return true;
  case 'L':
    return take_word(&request->folders);
  case OPTION_HOST:
    request->options.host = optarg;
    return true;
  case OPTION_MASK:
    request->options.cpu_mask = optarg;
    return true;
  case OPTION_WIDTH:
    return option_vector_width(optarg, &request->options.max_vector_bits);
  case OPTION_BASE:
    return take_address("base", &request->options.base);
  case OPTION_REACH:
    return take_address("reach", &request->options.reach);
  case OPTION_ASLR:
    return take_aslr(request);
  case OPTION_RECORD:
    request->options.record = optarg;
    return true;
  case OPTION_JSON:
    return request->as_json = true;
  case 'h':
    return request->help = true;
  default:
    options_mistake(&bind_options, option, argv);
    return false;
  }
}

static bool take_all(struct request *request, int argc, char **argv)
{
  int option;
  options_begin();
  while (!request->help && (option = options_next(&bind_options, argc, argv)) != -1)
    if (!take_option(request, option, argv))
      return false;
  for (; optind < argc; optind++)
    if (words_add(&request->images, argv[optind], strlen(argv[optind])) != WORDS_OK)
      return false;
  return true;
}

static void report_text(const char *output, const struct pkgimg_bind_report *report)
{
  printf("%s: %" PRIu64 " images at 0x%" PRIx64 ", %" PRIu64 " KiB; %" PRIu64 " words final, %" PRIu64 " of %" PRIu64
         " accesses relaxed, %" PRIu64 " functions of the host, %" PRIu64 " words left to each process\n",
         output, report->images, report->base, report->bytes / 1024, report->sites, report->relaxed, report->accesses,
         report->gates, report->residuals);
  if (report->regions > 1)
    printf("%s: in %" PRIu64 " regions of address space\n", output, report->regions);
  if (report->unchanged)
    printf("%s: the same as before: left as it is\n", output);
  else if (report->replaced)
    printf("%s: %" PRIu64 " of these images as in the bundle before; written anew as a whole\n", output,
           report->images_before);
}

static void report_json(const char *output, const struct pkgimg_bind_report *report)
{
  struct json json = {.file = stdout};
  json_open(&json, NULL, '{');
  json_string(&json, "file", output);
  json_unsigned(&json, "images", report->images);
  json_hex(&json, "base", report->base);
  json_unsigned(&json, "regions", report->regions);
  json_unsigned(&json, "bytes", report->bytes);
  json_unsigned(&json, "sites", report->sites);
  json_unsigned(&json, "gates", report->gates);
  json_unsigned(&json, "residuals", report->residuals);
  json_unsigned(&json, "accesses", report->accesses);
  json_unsigned(&json, "relaxed", report->relaxed);
  json_unsigned(&json, "types", report->types);
  json_unsigned(&json, "images_before", report->images_before);
  json_truth(&json, "replaced", report->replaced);
  json_truth(&json, "unchanged", report->unchanged);
  json_close(&json, '}');
  putchar('\n');
}

static enum exit_code bind_all(struct request *request)
{
  struct pkgimg_bind_report report;
  struct pkgimg_error error;
  request->options.images = (const char *const *)request->images.items;
  request->options.image_count = request->images.count;
  request->options.search_path = (const char *const *)request->folders.items;
  request->options.search_path_count = request->folders.count;
  if (!request->images.count)
    return usage_error("bind: which images?");
  if (!request->options.output)
    return usage_error("bind: which bundle? give --output");
  enum pkgimg_status status = pkgimg_bind(&request->options, &report, &error);
  if (status != PKGIMG_OK) {
    print_error(&error);
    return exit_code_of(status);
  }
  (request->as_json ? report_json : report_text)(request->options.output, &report);
  return EXIT_FINE;
}

int command_bind(int argc, char **argv)
{
  struct request request = {.options = PKGIMG_BIND_OPTIONS_INIT};
  enum exit_code code = EXIT_USAGE;
  if (take_all(&request, argc, argv)) {
    if (request.help)
      fputs(help, stdout);
    code = request.help ? EXIT_FINE : bind_all(&request);
  }
  words_deinit(&request.images);
  words_deinit(&request.folders);
  return (int)code;
}
