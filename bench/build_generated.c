// SPDX-License-Identifier: MIT
//
// Generated packages, built several ways from the same sources: images, the libraries that a user gets who asks
// for nothing special, libraries with every flag that is known to make loading cheaper, objects for a program that
// they are linked into, and objects that can be linked to any place.
#include "bench/workshop.h"

#include <err.h>
#include <stdlib.h>

enum flavour { IMAGE, LIBRARY, TUNED, OBJECT, CACHED };

// One flavour of all packages of a shape while they are built.
struct order {
  const struct options *options;
  const struct shape *shape;
  enum flavour flavour;
  const char *sources;  // folder
  const char *output;   // folder
};

static const char *const tuned_flags[] = {
    "-fno-plt",        "-Wl,-O1", "-Wl,--hash-style=gnu", "-Wl,-z,now", "-Wl,-Bsymbolic-functions",
    "-Wl,--as-needed", NULL};

static void output_path(enum flavour flavour, const char *folder, unsigned package, char path[SUBJECT_PATH])
{
  char name[GENERATE_NAME];
  generate_package_name(package, name);
  if (flavour == OBJECT || flavour == CACHED)
    workshop_path(path, "%s/%s.o", folder, name);
  else
    workshop_path(path, "%s/%s%s.so", folder, flavour == IMAGE ? "" : "lib", name);
}

static void add_dependencies(const struct order *order, unsigned package, const char *option,
                             struct command *command)
{
  unsigned list[GENERATE_DEPENDENCIES], count = generate_dependencies(order->shape, package, list);
  for (unsigned i = 0; i < count; i++) {
    char path[SUBJECT_PATH];
    output_path(order->flavour, order->output, list[i], path);
    if (option)
      command_add(command, "%s", option);
    command_add(command, "%s", path);
  }
}

static void image_command(const struct order *order, unsigned package, struct command *command)
{
  char name[GENERATE_NAME], path[SUBJECT_PATH];
  generate_package_name(package, name);
  output_path(IMAGE, order->output, package, path);
  command_add(command, "%s/pkgimg", workshop_programs());
  command_add(command, "build");
  command_add(command, "%s/%s.c", order->sources, name);
  command_add(command, "--name");
  command_add(command, "%s", name);
  add_dependencies(order, package, "--dep", command);
  command_add(command, "-o");
  command_add(command, "%s", path);
}

static void library_command(const struct order *order, unsigned package, struct command *command)
{
  char name[GENERATE_NAME], path[SUBJECT_PATH];
  generate_package_name(package, name);
  output_path(order->flavour, order->output, package, path);
  command_add(command, "%s", order->options->compiler);
  command_add(command, "-O2");
  command_add(command, "-fPIC");
  command_add(command, "-shared");
  for (size_t i = 0; order->flavour == TUNED && tuned_flags[i]; i++)
    command_add(command, "%s", tuned_flags[i]);
  command_add(command, "-Wl,-rpath,$ORIGIN");
  command_add(command, "-Wl,-soname,lib%s.so", name);
  command_add(command, "%s/%s.c", order->sources, name);
  add_dependencies(order, package, NULL, command);
  command_add(command, "-o");
  command_add(command, "%s", path);
}

static void object_command(const struct order *order, unsigned package, struct command *command)
{
  char name[GENERATE_NAME], path[SUBJECT_PATH];
  generate_package_name(package, name);
  output_path(OBJECT, order->output, package, path);
  command_add(command, "%s", order->options->compiler);
  command_add(command, "-O2");
  command_add(command, order->flavour == CACHED ? "-fPIC" : "-fno-pie");
  command_add(command, "-c");
  command_add(command, "%s/%s.c", order->sources, name);
  command_add(command, "-o");
  command_add(command, "%s", path);
}

static bool dependencies_done(const struct order *order, unsigned package, const bool *done)
{
  unsigned list[GENERATE_DEPENDENCIES], count = generate_dependencies(order->shape, package, list);
  for (unsigned i = 0; i < count; i++)
    if (!done[list[i]])
      return false;
  return true;
}

// In order of number, each as soon as its dependencies are there.
static void build_all(const struct order *order)
{
  static void (*const commands[])(const struct order *order, unsigned package,
                                  struct command *command) = {[IMAGE] = image_command,
                                                              [LIBRARY] = library_command,
                                                              [TUNED] = library_command,
                                                              [OBJECT] = object_command,
                                                              [CACHED] = object_command};
  struct pool pool = {.limit = order->options->jobs};
  bool *done = calloc(order->shape->packages, sizeof *done);
  if (!done)
    err(1, "packages");
  for (unsigned i = 0; i < order->shape->packages; i++) {
    struct command command = {0};
    while (pool_full(&pool) || !dependencies_done(order, i, done))
      done[pool_wait(&pool)] = true;
    commands[order->flavour](order, i, &command);
    pool_start(&pool, &command, i);
    command_deinit(&command);
  }
  while (pool.running)
    pool_wait(&pool);
  free(done);
}

static void write_sources(const struct shape *shape, const char *folder)
{
  for (unsigned i = 0; i < shape->packages; i++) {
    char name[GENERATE_NAME], path[SUBJECT_PATH];
    generate_package_name(i, name);
    workshop_path(path, "%s/%s.c", folder, name);
    FILE *file = fopen(path, "w");
    if (!file)
      err(1, "%s", path);
    generate_source(shape, i, file);
    if (ferror(file) | fclose(file))
      err(1, "%s", path);
  }
}

static void ensure_sources(const struct shape *shape, const char *folder)
{
  char stamp[64];
  snprintf(stamp, sizeof stamp, "generator %u\n", GENERATE_VERSION);
  if (workshop_is_fresh(folder, stamp))
    return;
  workshop_begin(folder);
  write_sources(shape, folder);
  workshop_finish(folder, stamp);
}

static void make_stamp(const struct order *order, char *stamp, size_t size)
{
  int used = snprintf(stamp, size, "generator %u\ncompiler %s\n", GENERATE_VERSION, order->options->compiler);
  if (order->flavour == IMAGE)
    workshop_pkgimg_identity(stamp + used, size - (size_t)used);
  for (size_t i = 0; order->flavour == TUNED && tuned_flags[i]; i++)
    used += snprintf(stamp + used, size - (size_t)used, "%s\n", tuned_flags[i]);
}

static void ensure_built(const struct order *order)
{
  char stamp[2048];
  make_stamp(order, stamp, sizeof stamp);
  if (workshop_is_fresh(order->output, stamp))
    return;
  fprintf(stderr, "building %s\n", order->output);
  workshop_begin(order->output);
  build_all(order);
  workshop_finish(order->output, stamp);
}

static void build_flavour(const struct options *options, const struct shape *shape, const char *folder,
                          enum flavour flavour, char root[SUBJECT_PATH])
{
  static const char *const names[] = {"image", "library", "tuned", "object", "cache"};
  char sources[SUBJECT_PATH], output[SUBJECT_PATH];
  workshop_path(sources, "%s/source", folder);
  workshop_path(output, "%s/%s", folder, names[flavour]);
  struct order order = {options, shape, flavour, sources, output};
  ensure_sources(shape, sources);
  ensure_built(&order);
  output_path(flavour, output, shape->packages - 1, root);
}

// The child's own sources and all packages, in one program.
static void program_command(const struct options *options, const struct shape *shape, const char *parts,
                            enum flavour flavour, const char *program, struct command *command)
{
  static const char *const sources[] = {"child.c", "workload.c", "child_linked.c"};
  char name[GENERATE_NAME], path[SUBJECT_PATH];
  command_add(command, "%s", options->compiler);
  command_add(command, "-O2");
  command_add(command, "-D_GNU_SOURCE");
  command_add(command, "-I%s", BENCH_ROOT);
  generate_entry_name(shape->packages - 1, name);
  command_add(command, "-DBENCH_ENTRY=%s", name);
  generate_function_name(shape, shape->packages - 1, 0, name);
  command_add(command, "-DBENCH_FUNCTION=%s", name);
  for (unsigned i = 0; i < sizeof sources / sizeof sources[0]; i++)
    command_add(command, "%s/bench/%s", BENCH_ROOT, sources[i]);
  if (flavour == OBJECT)
    command_add(command, "-no-pie");
  else
    command_add(command, "-Wl,--no-as-needed,-rpath,%s", parts);
  for (unsigned i = shape->packages; i-- > 0;) {
    output_path(flavour, parts, i, path);
    command_add(command, "%s", path);
  }
  command_add(command, "-o");
  command_add(command, "%s", program);
}

static void build_program(const struct options *options, const struct shape *shape, const char *folder,
                          enum flavour flavour, char program[SUBJECT_PATH])
{
  char parts[SUBJECT_PATH], output[4096];
  struct command command = {0};
  workshop_path(parts, "%s/%s", folder, flavour == OBJECT ? "object" : "library");
  workshop_path(program, "%s/%s", parts, flavour == OBJECT ? "linked" : "needs");
  program_command(options, shape, parts, flavour, program, &command);
  process_run(&command, output, sizeof output);
  command_deinit(&command);
}

static void count_relocations(const struct shape *shape, const char *folder, struct relocations *sum)
{
  char libraries[SUBJECT_PATH], path[SUBJECT_PATH];
  workshop_path(libraries, "%s/library", folder);
  for (unsigned i = 0; i < shape->packages; i++) {
    output_path(LIBRARY, libraries, i, path);
    relocations_add(sum, path);
  }
}

static void describe(const struct shape *shape, struct subject *subject)
{
  if (shape->service)
    snprintf(subject->title, sizeof subject->title, "%u generated packages of the sizes of a large service's",
             shape->packages);
  else
    snprintf(subject->title, sizeof subject->title,
             "%u generated package%s of %u functions, %u dependencies, %u host imports, %u tables of each kind",
             shape->packages, shape->packages == 1 ? "" : "s", shape->functions,
             shape->packages == 1 ? 0 : shape->dependencies, shape->host_imports, shape->tables);
  subject->workload = "entry";
  subject->packages = shape->packages;
  generate_entry_name(shape->packages - 1, subject->symbol);
}

void subject_generated(const struct options *options, const struct shape *shape, struct subject *subject)
{
  char name[128], folder[SUBJECT_PATH];
  if (shape->service)
    snprintf(name, sizeof name, "service-p%u-s%lu", shape->packages, (unsigned long)shape->seed);
  else
    snprintf(name, sizeof name, "p%u-f%u-d%u-h%u-t%u-s%lu", shape->packages, shape->functions, shape->dependencies,
             shape->host_imports, shape->tables, (unsigned long)shape->seed);
  workshop_folder(options, folder, name);
  describe(shape, subject);
  build_flavour(options, shape, folder, LIBRARY, subject->path[PEER_NOW]);
  workshop_path(subject->path[PEER_LAZY], "%s", subject->path[PEER_NOW]);
  count_relocations(shape, folder, &subject->relocations);
  if (options->tuned)
    build_flavour(options, shape, folder, TUNED, subject->path[PEER_TUNED]);
  if (!options->keep_orc_out)
    build_flavour(options, shape, folder, CACHED, subject->path[PEER_ORC]);
  build_program(options, shape, folder, LIBRARY, subject->path[PEER_NEEDED]);
  build_flavour(options, shape, folder, OBJECT, subject->path[PEER_LINKED]);
  build_program(options, shape, folder, OBJECT, subject->path[PEER_LINKED]);
  if (options->keep_pkgimg_out)
    return;
  char images[SUBJECT_PATH];
  workshop_path(images, "%s/image", folder);
  build_flavour(options, shape, folder, IMAGE, subject->path[PEER_PKGIMG]);
  workshop_bind(images, subject->path[PEER_PKGIMG], subject->path[PEER_BOUND]);
}

void subject_calls_function(const struct shape *shape, struct subject *subject)
{
  subject->workload = "function";
  generate_function_name(shape, shape->packages - 1, 0, subject->symbol);
}
