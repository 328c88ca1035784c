// SPDX-License-Identifier: MIT
//
// bench-generate: the generator by itself, for tests and for looking at what is measured.
#include "bench/generate.h"
#include "bench/options.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char usage[] =
    "usage: bench-generate [OPTION]... FOLDER\n"
    "Write the sources of generated packages, FOLDER/part000.c and so on, and FOLDER/dependencies.txt:\n"
    "one line for each package, its name, then those of its direct dependencies.\n" OPTIONS_SHAPE_HELP
    "  --service          169 packages of the sizes that a large service's libraries have\n";

static FILE *create(const char *folder, const char *name)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "w");
  if (!file)
    err(1, "%s", path);
  return file;
}

static void finish(FILE *file, const char *name)
{
  if (ferror(file) | fclose(file))
    err(1, "%s", name);
}

static void write_source(const struct shape *shape, unsigned package, const char *folder)
{
  char name[GENERATE_NAME + 2];
  generate_package_name(package, name);
  size_t length = strlen(name);
  memcpy(name + length, ".c", 3);
  FILE *file = create(folder, name);
  generate_source(shape, package, file);
  finish(file, name);
}

static void write_dependencies(const struct shape *shape, const char *folder)
{
  FILE *file = create(folder, "dependencies.txt");
  for (unsigned i = 0; i < shape->packages; i++) {
    char name[GENERATE_NAME];
    unsigned list[GENERATE_DEPENDENCIES], count = generate_dependencies(shape, i, list);
    generate_package_name(i, name);
    fputs(name, file);
    for (unsigned k = 0; k < count; k++) {
      generate_package_name(list[k], name);
      fprintf(file, " %s", name);
    }
    fputc('\n', file);
  }
  finish(file, "dependencies.txt");
}

int main(int argc, char **argv)
{
  struct shape shape = OPTIONS_SHAPE_DEFAULT;
  const char *folder = NULL;
  for (int i = 1; i < argc; i++) {
    if (options_shape(&shape, argv, &i))
      continue;
    if (!strcmp(argv[i], "--service")) {
      shape = generate_service(shape.seed);
      continue;
    }
    if (argv[i][0] == '-' || folder)
      return fputs(usage, strcmp(argv[i], "--help") ? stderr : stdout), strcmp(argv[i], "--help") ? 2 : 0;
    folder = argv[i];
  }
  if (!folder)
    return fputs(usage, stderr), 2;
  if (generate_refuses(&shape))
    errx(2, "%s", generate_refuses(&shape));
  if (mkdir(folder, 0777) && errno != EEXIST)
    err(1, "%s", folder);
  for (unsigned i = 0; i < shape.packages; i++)
    write_source(&shape, i, folder);
  write_dependencies(&shape, folder);
  return 0;
}
