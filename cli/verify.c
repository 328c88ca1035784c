// SPDX-License-Identifier: MIT
//
// `pkgimg verify`: each file is read whole and checked; the loader is not involved.
#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/text.h"

#include <pkgimg/inspect.h>
#include <pkgimg/pkgimg.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: pkgimg verify [OPTION]... IMAGE|BUNDLE...\n"
    "\n"
    "Read each file whole and check it: structure, tables, hashes, and the build id against the bytes.\n"
    "\n"
    "Of a bundle, images are named whose files have changed since; that is no failure.\n"
    "\n"
    "      --json  print one JSON object with a list of files\n"
    "  -h, --help  show this text\n"
    "\n"
    "The exit status is 0 if every file is good, 1 if one is bad, and 3 or 7 if one cannot be read.\n";

enum { OPTION_JSON = OPTION_LONG };
static const struct option option_names[] = {
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};
static const struct options verify_options = {"-:h", option_names};

struct verify {
  bool as_json;
  struct json json;
  enum exit_code code;
  int files;  ///< arguments, moved to the front of argv
};

// The record of a bundle has no name and no build id: both are NULL.
static void print_good(struct verify *verify, const char *path, const char *name, const uint8_t *build_id)
{
  struct style style = style_of(stdout);
  struct build_id_text id = {""};
  if (build_id)
    id = build_id_text(build_id);
  if (verify->as_json && name) {
    json_string(&verify->json, "name", name);
    json_string(&verify->json, "build_id", id.digits);
  }
  if (verify->as_json)
    return;
  print_text(stdout, path);
  printf(": %sok%s%s%s\n", style.good, style.off, build_id ? " " : "", id.digits);
}

static void print_bad(struct verify *verify, const struct pkgimg_error *error)
{
  if (!verify->as_json) {
    fflush(stdout);
    print_error(error);
    return;
  }
  json_open(&verify->json, "error", '{');
  json_string(&verify->json, "status", pkgimg_status_name(error->status));
  json_string(&verify->json, "text", error->text);
  if (error->offset != PKGIMG_NO_OFFSET) {
    json_unsigned(&verify->json, "offset", error->offset);
    json_hex(&verify->json, "expected", error->expected);
    json_hex(&verify->json, "found", error->found);
  }
  json_close(&verify->json, '}');
}

// A bad file outweighs one that could not be read; else the first failure counts.
static void count_failure(struct verify *verify, enum pkgimg_status status)
{
  enum exit_code code = exit_code_of(status);
  if (code == EXIT_BROKEN || code == EXIT_REFUSED)
    verify->code = EXIT_BAD;
  else if (verify->code == EXIT_FINE)
    verify->code = code;
}

/// What is shown of a good file. An inspection makes the same checks as pkgimg_verify, on the same bytes that it then
/// describes.
struct verified {
  struct pkgimg_inspection *image;
  struct pkgimg_bundle_inspection *bundle;
  const char *name;  ///< of a bundle: of its main image
  const uint8_t *build_id;
};

static enum pkgimg_status open_image(const char *path, struct verified *verified, struct pkgimg_error *error)
{
  enum pkgimg_status status = pkgimg_inspection_open(path, &verified->image, error);
  if (status != PKGIMG_OK)
    return status;
  verified->name = pkgimg_inspection_summary(verified->image)->name;
  verified->build_id = pkgimg_inspection_summary(verified->image)->build_id;
  return PKGIMG_OK;
}

static enum pkgimg_status open_bundle(const char *path, struct verified *verified, struct pkgimg_error *error)
{
  enum pkgimg_status status = pkgimg_bundle_inspection_open(path, &verified->bundle, error);
  if (status != PKGIMG_OK)
    return status;
  const struct pkgimg_bundle_summary *summary = pkgimg_bundle_inspection_summary(verified->bundle);
  verified->name = pkgimg_bundle_inspection_image(verified->bundle, summary->main_image).name;
  verified->build_id = summary->build_id;
  return PKGIMG_OK;
}

// The bundle is good nevertheless: what it holds fits together.
static void print_changed(struct verify *verify, struct pkgimg_bundle_inspection *bundle)
{
  size_t count = pkgimg_bundle_inspection_summary(bundle)->images;
  if (verify->as_json)
    json_open(&verify->json, "changed", '[');
  for (size_t i = 0; i < count; i++) {
    const char *path = pkgimg_bundle_inspection_changed(bundle, i);
    if (path && verify->as_json) {
      json_string(&verify->json, NULL, path);
    } else if (path) {
      printf("  changed since: ");
      print_text(stdout, path);
      putchar('\n');
    }
  }
  if (verify->as_json)
    json_close(&verify->json, ']');
}

static bool is_record(const char *path)
{
  static const char suffix[] = ".pages";
  size_t length = strlen(path);
  return length >= sizeof suffix - 1 && strcmp(path + length - (sizeof suffix - 1), suffix) == 0;
}

static void verify_file(struct verify *verify, const char *path)
{
  struct verified verified = {0};
  struct pkgimg_error error;
  enum pkgimg_status status = is_record(path)          ? pkgimg_verify(path, &error)
                              : pkgimg_is_bundle(path) ? open_bundle(path, &verified, &error)
                                                       : open_image(path, &verified, &error);
  if (verify->as_json) {
    json_open(&verify->json, NULL, '{');
    json_string(&verify->json, "file", path);
    json_truth(&verify->json, "ok", status == PKGIMG_OK);
  }
  if (status) {
    print_bad(verify, &error);
    count_failure(verify, status);
  } else {
    print_good(verify, path, verified.name, verified.build_id);
    if (verified.bundle)
      print_changed(verify, verified.bundle);
  }
  pkgimg_inspection_close(verified.image);
  pkgimg_bundle_inspection_close(verified.bundle);
  if (verify->as_json)
    json_close(&verify->json, '}');
}

static int verify_all(struct verify *verify, char **paths)
{
  verify->json.file = stdout;
  if (verify->as_json) {
    json_open(&verify->json, NULL, '{');
    json_open(&verify->json, "files", '[');
  }
  for (int i = 0; i < verify->files; i++)
    verify_file(verify, paths[i]);
  if (verify->as_json) {
    json_close(&verify->json, ']');
    json_close(&verify->json, '}');
    putchar('\n');
  }
  return (int)verify->code;
}

int command_verify(int argc, char **argv)
{
  struct verify verify = {.code = EXIT_FINE};
  int option;
  options_begin();
  while ((option = options_next(&verify_options, argc, argv)) != -1)
    switch (option) {
    case OPTION_ARGUMENT:
      argv[verify.files++] = optarg;
      break;
    case OPTION_JSON:
      verify.as_json = true;
      break;
    case 'h':
      fputs(help, stdout);
      return EXIT_FINE;
    default:
      options_mistake(&verify_options, option, argv);
      return EXIT_USAGE;
    }
  while (optind < argc)
    argv[verify.files++] = argv[optind++];
  return verify.files ? verify_all(&verify, argv) : (int)usage_error("verify: which image?");
}
