// SPDX-License-Identifier: MIT
//
// Packages of types: half of the types are the package's own, half are stated by others too. Each has three
// fields.
#include "bench/process.h"
#include "bench/types.h"
#include "bench/workshop.h"

#include <err.h>
#include <stdio.h>
#include <string.h>

const char *const types_variant_names[TYPES_VARIANTS] = {"plain", "types", "methods"};
enum { OWN = TYPES_PER_PACKAGE / 2 };

unsigned types_function_of(unsigned package, unsigned method, unsigned packages)
{
  unsigned functions = packages * METHODS_PER_PACKAGE / METHODS_PER_FUNCTION;
  return (package * METHODS_PER_PACKAGE + method) % (functions ? functions : 1);
}

int types_second_of(unsigned method)
{
  return method < OWN ? -1 : (int)(method * 7 % OWN);
}

static void write_types(FILE *file, const struct types_options *options, unsigned package)
{
  fprintf(file, "#include <pkgimg/types.h>\nstruct pair { struct pair *next; double x; long y; };\n"
                "PKGIMG_ABSTRACT(base, \"bench.Base\", 0);\n"
                "PKGIMG_SCALAR(t_double, \"Float64\", PKGIMG_KIND_FLOAT, double, 0);\n"
                "PKGIMG_SCALAR(t_long, \"Int64\", PKGIMG_KIND_INTEGER, long, 0);\n"
                "PKGIMG_POINTER(p_base, base);\n");
  for (unsigned i = 0; i + 4 < TYPES_PER_PACKAGE; i++) {
    bool own = i < OWN;
    fprintf(
        file,
        "PKGIMG_STRUCT(t_%u, \"bench.%s%u.Type%u\", struct pair, &base, PKGIMG_FIELD(struct pair, next, p_base),"
        " PKGIMG_FIELD(struct pair, x, t_double), PKGIMG_FIELD(struct pair, y, t_long));\n",
        i, own ? "own" : "shared", own ? package : package / options->sharing, i);
  }
}

static void write_methods(FILE *file, const struct types_options *options, unsigned package)
{
  for (unsigned i = 0; i < METHODS_PER_PACKAGE; i++)
    fprintf(file, "static int body_%u(void) { return %u; }\n", i, package * METHODS_PER_PACKAGE + i);
  fprintf(file, "#ifdef METHODS\n");
  for (unsigned i = 0; i < METHODS_PER_PACKAGE; i++) {
    int second = types_second_of(i);
    fprintf(file, "PKGIMG_METHOD(\"bench.function%u\", body_%u, &t_%u, &",
            types_function_of(package, i, options->common.shape.packages), i, i % OWN);
    if (second < 0)
      fprintf(file, "base);\n");
    else
      fprintf(file, "t_%d);\n", second);
  }
  fprintf(file, "#endif\n");
}

static void write_source(const struct types_options *options, const char *path, unsigned package)
{
  FILE *file = fopen(path, "w");
  if (!file)
    err(1, "%s", path);
  fprintf(file, "#ifdef TYPES\n");
  write_types(file, options, package);
  fprintf(file, "#endif\n");
  write_methods(file, options, package);
  fprintf(file, "void *const bodies[] = {");
  for (unsigned i = 0; i < METHODS_PER_PACKAGE; i++)
    fprintf(file, "body_%u,%s", i, i % 8 == 7 ? "\n" : "");
  fprintf(file, "};\n#ifdef TYPES\nconst void *type_of(unsigned i)\n{\n  switch (i) {\n");
  for (unsigned i = 0; i < OWN; i++)
    fprintf(file, "  case %u: return PKGIMG_TYPE_OF(t_%u);\n", i, i);
  fprintf(file, "  default: return PKGIMG_TYPE_OF(base);\n  }\n}\n#endif\n");
  if (ferror(file) | fclose(file))
    err(1, "%s", path);
}

static void start_build(struct pool *pool, const char *folder, enum types_variant variant, unsigned package)
{
  static const char *const flags[TYPES_VARIANTS] = {"", "-DTYPES", "-DTYPES -DMETHODS"};
  struct command command = {0};
  command_add(&command, "%s/pkgimg", workshop_programs());
  command_add(&command, "build");
  command_add(&command, "--cflags=%s", flags[variant]);
  command_add(&command, "--name=p%u", package);
  command_add(&command, "%s/p%u.c", folder, package);
  command_add(&command, "-o");
  command_add(&command, "%s/%s/p%u.so", folder, types_variant_names[variant], package);
  while (pool_full(pool))
    pool_wait(pool);
  pool_start(pool, &command, package);
  command_deinit(&command);
}

// The one that is loaded.
static void build_root(const struct types_options *options, const char *folder, enum types_variant variant)
{
  char output[4096];
  struct command command = {0};
  command_add(&command, "%s/pkgimg", workshop_programs());
  command_add(&command, "build");
  command_add(&command, "--name=all");
  command_add(&command, "%s/all.c", folder);
  for (unsigned i = 0; i < options->common.shape.packages; i++)
    command_add(&command, "--dep=%s/%s/p%u.so", folder, types_variant_names[variant], i);
  command_add(&command, "-o");
  command_add(&command, "%s/%s/all.so", folder, types_variant_names[variant]);
  process_run(&command, output, sizeof output);
  command_deinit(&command);
}

static void write_root(const char *folder)
{
  char path[SUBJECT_PATH];
  workshop_path(path, "%s/all.c", folder);
  FILE *file = fopen(path, "w");
  if (!file || fprintf(file, "int all = 1;\n") < 0 || fclose(file))
    err(1, "%s", path);
}

void types_packages_build(const struct types_options *options, char folder[SUBJECT_PATH])
{
  char stamp[4096], path[SUBJECT_PATH];
  struct pool pool = {.limit = 2};
  workshop_folder(&options->common, folder, "types");
  int used =
      snprintf(stamp, 1024, "%u packages and all, %u sharing\n", options->common.shape.packages, options->sharing);
  workshop_pkgimg_identity(stamp + used, sizeof stamp - (size_t)used);
  if (workshop_is_fresh(folder, stamp))
    return;
  fprintf(stderr, "building %s\n", folder);
  workshop_begin(folder);
  for (unsigned i = 0; i < options->common.shape.packages; i++) {
    workshop_path(path, "%s/p%u.c", folder, i);
    write_source(options, path, i);
  }
  for (unsigned variant = 0; variant < TYPES_VARIANTS; variant++) {
    char name[64];
    snprintf(name, sizeof name, "types/%s", types_variant_names[variant]);
    workshop_folder(&options->common, path, name);
    for (unsigned i = 0; i < options->common.shape.packages; i++)
      start_build(&pool, folder, (enum types_variant)variant, i);
  }
  while (pool.running)
    pool_wait(&pool);
  write_root(folder);
  for (unsigned variant = 0; variant < TYPES_VARIANTS; variant++)
    build_root(options, folder, (enum types_variant)variant);
  workshop_finish(folder, stamp);
}
