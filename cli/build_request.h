// SPDX-License-Identifier: MIT
//
// The command line of pkgimg-build as options for the library. Opens no file; only asks whether
// an argument is a folder, to tell a manifest from sources.
#ifndef CLI_BUILD_REQUEST_H
#define CLI_BUILD_REQUEST_H

#include "cli/failure.h"
#include "cli/words.h"

#include <pkgimg/build.h>

#include <stdbool.h>

struct build_request {
  struct pkgimg_build_options options;  ///< its strings are arguments, or in the lists below
  const char **files;
  size_t file_count;
  char *name;  ///< derived from a file's name
  struct words deps, dep_path, exports, cflags, libs, roots;
  bool help, version;  ///< asked for: nothing is built
};

/// Prints every mistake; returns EXIT_FINE if the request is complete. Deinit it in any case.
enum exit_code build_request_init(struct build_request *request, int argc, char **argv);
void build_request_deinit(struct build_request *request);

/// One file that is neither a source nor a folder is a manifest.
bool build_request_is_manifest(const struct build_request *request);

#endif
