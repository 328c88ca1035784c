// SPDX-License-Identifier: MIT
#include "cli/build_request.h"

#include "cli/options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
  OPTION_DEP_PATH = OPTION_LONG,
  OPTION_CFLAGS,
  OPTION_INIT,
  OPTION_CHECK_BOUNDS,
  OPTION_INLINE,
  OPTION_DEBUG_TYPES,
  OPTION_CPU_TARGET,
  OPTION_SYSIMAGE,
  OPTION_PRECOMPILE,
  OPTION_COMPRESS,
  OPTION_PRECOMPILE_LIMIT,
  OPTION_ROOT,
  OPTION_EMIT,
  OPTION_FOLDER,
  OPTION_FRONT_END,
  OPTION_LINK_IN_CHILD,
  OPTION_VERSION,
};
static const struct option option_names[] = {
    {"output", required_argument, NULL, 'o'},
    {"name", required_argument, NULL, 'n'},
    {"dep", required_argument, NULL, 'd'},
    {"dep-path", required_argument, NULL, OPTION_DEP_PATH},
    {"export", required_argument, NULL, 'e'},
    {"cflags", required_argument, NULL, OPTION_CFLAGS},
    {"lib", required_argument, NULL, 'l'},
    {"init", required_argument, NULL, OPTION_INIT},
    {"optimize", required_argument, NULL, 'O'},
    {"debug-info", optional_argument, NULL, 'g'},
    {"debug-level", required_argument, NULL, 'g'},
    {"check-bounds", required_argument, NULL, OPTION_CHECK_BOUNDS},
    {"checkbounds", required_argument, NULL, OPTION_CHECK_BOUNDS},
    {"debug-types", required_argument, NULL, OPTION_DEBUG_TYPES},
    {"inline", required_argument, NULL, OPTION_INLINE},
    {"cpu-target", required_argument, NULL, OPTION_CPU_TARGET},
    {"sysimage", no_argument, NULL, OPTION_SYSIMAGE},
    {"compress", no_argument, NULL, OPTION_COMPRESS},
    {"precompile", required_argument, NULL, OPTION_PRECOMPILE},
    {"precompile-limit", required_argument, NULL, OPTION_PRECOMPILE_LIMIT},
    {"root", required_argument, NULL, OPTION_ROOT},
    {"emit", required_argument, NULL, OPTION_EMIT},
    {"folder", required_argument, NULL, OPTION_FOLDER},
    {"front-end", required_argument, NULL, OPTION_FRONT_END},
    {"link-in-child", no_argument, NULL, OPTION_LINK_IN_CHILD},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};
static const struct options build_options = {"-:o:n:d:e:l:O:g::h", option_names};

static const struct choice yes_no[] = {{"yes", 1}, {"no", 0}, {NULL, 0}};
static const struct choice check_bounds_choices[] = {
    {"auto", PKGIMG_CHECK_BOUNDS_AUTO},
    {"yes", PKGIMG_CHECK_BOUNDS_YES},
    {"no", PKGIMG_CHECK_BOUNDS_NO},
    {NULL, 0},
};
static const struct choice emit_choices[] = {
    {"image", PKGIMG_EMIT_IMAGE},
    {"obj", PKGIMG_EMIT_OBJECT},
    {"bc", PKGIMG_EMIT_BITCODE},
    {"asm", PKGIMG_EMIT_ASSEMBLY},
    {NULL, 0},
};

// ---- options

static bool added(enum words_result result, int option, const char *text)
{
  const char *name = option_name(&build_options, option);
  if (result == WORDS_NO_MEMORY)
    system_error(name);
  else if (result == WORDS_OPEN_QUOTE)
    usage_error("option --%s: \"%s\" has an open quote", name, text);
  return result == WORDS_OK;
}

static bool filled(int option, const char *text)
{
  if (!*text)
    usage_error("option --%s: \"\" is empty", option_name(&build_options, option));
  return *text;
}

static bool take_text(const char **text, int option)
{
  *text = optarg;
  return filled(option, optarg);
}

static bool take_word(struct words *words, int option)
{
  return filled(option, optarg) && added(words_add(words, optarg, strlen(optarg)), option, optarg);
}

// The level may be in the same argument (-g1, --debug-info=1) or the next one (-g 1). A file with
// the name of a level has to be given as ./1.
static bool take_debug(struct build_request *request, int argc, char **argv)
{
  const char *level = optarg;
  if (!level && optind < argc && strlen(argv[optind]) == 1 && strchr("0123456789", argv[optind][0]))
    level = argv[optind++];
  request->options.debug = 2;  // clang's level for a bare -g
  return !level || option_number("debug-info", level, 3, &request->options.debug);
}

static bool take_choice(const struct choice *choices, int option, int *value)
{
  return option_choice(option_name(&build_options, option), choices, optarg, value);
}

static bool take_check_bounds(struct pkgimg_build_options *options)
{
  int value = options->check_bounds;
  bool good = take_choice(check_bounds_choices, OPTION_CHECK_BOUNDS, &value);
  options->check_bounds = (enum pkgimg_check_bounds)value;
  return good;
}

static bool take_emit(struct pkgimg_build_options *options)
{
  int value = options->emit;
  bool good = take_choice(emit_choices, OPTION_EMIT, &value);
  options->emit = (enum pkgimg_emit)value;
  return good;
}

static bool take_option(struct build_request *request, int option, int argc, char **argv)
{
  struct pkgimg_build_options *options = &request->options;
  switch (option) {
  case OPTION_ARGUMENT:
    request->files[request->file_count++] = optarg;
    return true;
  case 'o':
    return take_text(&options->output, option);
  case 'n':
    return take_text(&options->name, option);
  case OPTION_INIT:
    return take_text(&options->init, option);
  case OPTION_COMPRESS:
    options->compress = 1;
    return true;
  case OPTION_PRECOMPILE:
    return take_text(&options->precompile, option);
  case OPTION_PRECOMPILE_LIMIT:
    return option_number("precompile-limit", optarg, 1000000, &options->precompile_limit);
  case OPTION_ROOT:
    return take_word(&request->roots, option);
  case OPTION_FOLDER:
    return take_text(&options->folder, option);
  case OPTION_CPU_TARGET:
    return take_text(&options->cpu_target, option);
  case OPTION_FRONT_END:
    return take_text(&options->front_end, option);
  case 'd':
    return take_word(&request->deps, option);
  case OPTION_DEP_PATH:
    return take_word(&request->dep_path, option);
  case 'e':
    return take_word(&request->exports, option);
  case 'l':
    return take_word(&request->libs, option);
  case OPTION_CFLAGS:
    return added(words_split(&request->cflags, optarg), option, optarg);
  case OPTION_CHECK_BOUNDS:
    return take_check_bounds(options);
  case OPTION_INLINE:
    return take_choice(yes_no, option, &options->inline_functions);
  case OPTION_DEBUG_TYPES:
    return take_choice(yes_no, option, &options->debug_types);
  case OPTION_EMIT:
    return take_emit(options);
  case 'O':
    return option_number("optimize", optarg, 3, &options->optimize);
  case 'g':
    return take_debug(request, argc, argv);
  case OPTION_SYSIMAGE:
    options->sysimage = 1;
    return true;
  case OPTION_LINK_IN_CHILD:
    options->link_in_child = 1;
    return true;
  default:
    options_mistake(&build_options, option, argv);
    return false;
  }
}

static bool take_all(struct build_request *request, int argc, char **argv)
{
  int option;
  options_begin();
  while ((option = options_next(&build_options, argc, argv)) != -1) {
    request->help = option == 'h';
    request->version = option == OPTION_VERSION;
    if (request->help || request->version)
      return true;
    if (!take_option(request, option, argc, argv))
      return false;
  }
  while (optind < argc)
    request->files[request->file_count++] = argv[optind++];
  return true;
}

// ---- the whole

static bool is_folder(const char *parent, const char *path)
{
  char full[PATH_MAX];
  struct stat status;
  bool below = parent && path[0] != '/';
  snprintf(full, sizeof full, "%s%s%s", below ? parent : "", below ? "/" : "", path);
  return stat(full, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_source(const char *path)
{
  static const char *const suffixes[] = {".c", ".cc", ".cpp", ".cxx", ".ll", ".bc"};
  const char *suffix = strrchr(path, '.');
  for (size_t i = 0; suffix && i < sizeof suffixes / sizeof *suffixes; i++)
    if (strcmp(suffix, suffixes[i]) == 0)
      return true;
  return false;
}

bool build_request_is_manifest(const struct build_request *request)
{
  return request->file_count == 1 && !is_source(request->files[0]) &&
         !is_folder(request->options.folder, request->files[0]);
}

// "out/lua.so" -> "lua": dependents look for NAME.so, so the file's name is the package's.
static char *stem_of(const char *path)
{
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  const char *dot = strrchr(name, '.');
  return dot && dot != name ? strndup(name, (size_t)(dot - name)) : strdup(name);
}

static enum exit_code derive_name(struct build_request *request)
{
  struct pkgimg_build_options *options = &request->options;
  if (options->name || build_request_is_manifest(request))
    return EXIT_FINE;
  if (!options->output && (request->file_count > 1 || !is_source(request->files[0])))
    return usage_error("build: which package? give --name or --output");
  request->name = stem_of(options->output ? options->output : request->files[0]);
  options->name = request->name;
  return request->name ? EXIT_FINE : system_error("build");
}

static struct pkgimg_strings strings(const struct words *words)
{
  return (struct pkgimg_strings){(const char *const *)words->items, words->count};
}

static enum exit_code complete(struct build_request *request)
{
  struct pkgimg_build_options *options = &request->options;
  if (!request->file_count)
    return usage_error("build: which sources, or which manifest?");
  options->deps = strings(&request->deps);
  options->dep_path = strings(&request->dep_path);
  options->exports = strings(&request->exports);
  options->cflags = strings(&request->cflags);
  options->libs = strings(&request->libs);
  options->roots = strings(&request->roots);
  return derive_name(request);
}

enum exit_code build_request_init(struct build_request *request, int argc, char **argv)
{
  *request = (struct build_request){.options = PKGIMG_BUILD_OPTIONS_INIT};
  request->files = calloc((size_t)argc + 1, sizeof *request->files);
  if (!request->files)
    return system_error("build");
  if (!take_all(request, argc, argv))
    return EXIT_USAGE;
  return request->help || request->version ? EXIT_FINE : complete(request);
}

void build_request_deinit(struct build_request *request)
{
  struct words *lists[] = {&request->deps, &request->dep_path, &request->exports, &request->cflags,
                           &request->libs, &request->roots};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    words_deinit(lists[i]);
  free(request->files);
  free(request->name);
}
