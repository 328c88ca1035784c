// SPDX-License-Identifier: MIT
#include "tests/unit/package.h"

#include "tests/unit/world.h"

#include <stdio.h>
#include <string.h>

char package_messages[4096];

static void keep_message(void *context, const char *text)
{
  (void)context;
  snprintf(package_messages, sizeof package_messages, "%s", text);
}

enum pkgimg_status package_build(struct package package, struct pkgimg_error *error)
{
  struct pkgimg_build_options options = PKGIMG_BUILD_OPTIONS_INIT;
  char source[64], output[64];
  const char *file = source, *code = package.code ? package.code : "long one(void) { return 1; }\n";
  snprintf(source, sizeof source, "%s.c", package.name);
  snprintf(output, sizeof output, "%s.so", package.name);
  while (package.deps[options.deps.count])
    options.deps.count++;
  options.deps.items = package.deps;
  options.name = package.name;
  options.output = scratch_path(output);
  options.folder = scratch_folder();
  options.graph = package.graph;
  options.cpu_target = package.cpu_target;
  options.precompile = package.precompile;
  options.emit = package.emit;
  options.debug = package.debug;
  options.sysimage = package.sysimage;
  options.diagnostic = keep_message;
  package_messages[0] = 0;
  write_all(scratch_path(source), code, strlen(code));
  return pkgimg_build_files(&options, &file, 1, error);
}

struct pkgimg_graph described_graph(const struct pkgimg_graph_root *roots, size_t count)
{
  return (struct pkgimg_graph){.size = sizeof(struct pkgimg_graph), .roots = roots, .root_count = count};
}
