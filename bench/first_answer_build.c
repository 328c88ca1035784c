// SPDX-License-Identifier: MIT
#include "bench/first_answer.h"

#include "bench/workshop.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/// A package of tests/packages/captured.
struct recipe {
  const char *name, *title;
  const char *source;  // its folder in --sources; NULL: it needs none
  const char *file;    // that it reads when it builds its state, or NULL
  const char *dependency;
};

static const struct recipe recipes[FIRST_ROWS] = {
    {.name = "lua-state",
     .title = "Lua with its libraries, 200 modules and a table of 100,000 entries; a script",
     .source = "lua5.4",
     .dependency = "lua-seeded"},
    {.name = "database",
     .title = "SQLite with 50,000 rows in memory and two indices; two prepared statements",
     .source = "sqlite-amalgamation"},
    {.name = "words",
     .title = "an index of /usr/share/dict/words; a prefix and the anagrams of a word",
     .file = "/usr/share/dict/words"},
    {.name = "patterns", .title = "256 expressions of Oniguruma; 32 of them on a line", .source = "libonig"},
};

// Every manifest finds its sources in one folder.
static void link_source(const char *folder, const char *name, const char *target)
{
  char path[SUBJECT_PATH];
  workshop_path(path, "%s/%s", folder, name);
  if (unlink(path) && errno != ENOENT)
    err(1, "%s", path);
  if (symlink(target, path))
    err(1, "%s", path);
}

static bool find_source(const struct options *options, const char *name, const char *folder)
{
  char path[SUBJECT_PATH];
  workshop_path(path, "%s/%s", options->sources, name);
  char *absolute = realpath(path, NULL);
  if (absolute)
    link_source(folder, name, absolute);
  free(absolute);
  return absolute != NULL;
}

static bool can_build(const struct options *options, const struct recipe *recipe, const char *folder,
                      struct first_row *row)
{
  if (!options_wanted(options->only, recipe->name))
    snprintf(row->skipped, sizeof row->skipped, "not in --only");
  else if (recipe->source && !options->sources)
    snprintf(row->skipped, sizeof row->skipped, "no --sources were given");
  else if (recipe->source && !find_source(options, recipe->source, folder))
    snprintf(row->skipped, sizeof row->skipped, "no %s in %.200s", recipe->source, options->sources);
  else if (recipe->file && access(recipe->file, R_OK))
    snprintf(row->skipped, sizeof row->skipped, "no %s", recipe->file);
  return !row->skipped[0];
}

// ---- commands

static void run_build(struct command *command, const char *output)
{
  char text[4096];
  fprintf(stderr, "building %s\n", output);
  command_add(command, "-o");
  command_add(command, "%s", output);
  process_run(command, text, sizeof text);
  command_deinit(command);
}

static struct command build_command(const char *manifest, const char *folder)
{
  struct command command = {0};
  command_add(&command, "%s/pkgimg", workshop_programs());
  command_add(&command, "build");
  command_add(&command, "%s/%s.ucl", BENCH_PACKAGES, manifest);
  command_add(&command, "--folder=%s", folder);
  return command;
}

static void write_header(const char *folder)
{
  char path[SUBJECT_PATH];
  workshop_folder(&(struct options){.work = folder}, path, "lua-headers");
  workshop_path(path, "%s/lua-headers/lua5.4-deb-multiarch.h", folder);
  FILE *file = fopen(path, "w");
  if (!file || fputs("#define DEB_HOST_MULTIARCH \"x86_64-linux-gnu\"\n", file) < 0 || fclose(file))
    err(1, "%s", path);
}

// Lua, with the options that make a state the same in every process: lua-state.c has the reasons.
static void build_lua(const char *folder, const char *output)
{
  char source[SUBJECT_PATH];
  workshop_path(source, "%s/lua5.4", folder);
  struct command command = build_command("lua/lua", source);
  command_add(&command, "--name=lua-seeded");
  command_add(&command, "--cflags=-I%s/lua-headers", folder);
  command_add(&command, "--cflags='-Dluai_makeseed(L)=0x2f1e3a57u' -DSTRCACHE_N=1 -DSTRCACHE_M=1");
  run_build(&command, output);
}

static void build_way(const struct recipe *recipe, const char *folder, bool captured, const char *output)
{
  char manifest[64];
  snprintf(manifest, sizeof manifest, "captured/%s", recipe->name);
  struct command command = build_command(manifest, folder);
  if (recipe->dependency)
    command_add(&command, "--dep=%s/%s.so", folder, recipe->dependency);
  if (captured)
    command_add(&command, "--precompile=warm");
  run_build(&command, output);
}

static void build_images(const struct recipe *recipe, const char *folder, const struct first_row *row)
{
  char stamp[2048], own[SUBJECT_PATH];
  workshop_pkgimg_identity(stamp, sizeof stamp);
  if (workshop_is_fresh(folder, stamp))
    return;
  workshop_begin(folder);
  workshop_path(own, "%s/captured", BENCH_PACKAGES);
  link_source(folder, "captured", own);
  write_header(folder);
  if (recipe->dependency) {
    char output[SUBJECT_PATH];
    workshop_path(output, "%s/%s.so", folder, recipe->dependency);
    build_lua(folder, output);
  }
  build_way(recipe, folder, true, row->path[WAY_CAPTURED]);
  build_way(recipe, folder, false, row->path[WAY_BUILT]);
  workshop_finish(folder, stamp);
}

static void build(const struct options *options, const struct recipe *recipe, struct first_row *row)
{
  char folder[SUBJECT_PATH], name[64];
  snprintf(name, sizeof name, "first-answer/%s", recipe->name);
  workshop_folder(options, folder, name);
  workshop_path(row->path[WAY_CAPTURED], "%s/captured.so", folder);
  workshop_path(row->path[WAY_BUILT], "%s/built.so", folder);
  workshop_path(row->path[WAY_DLOPEN], "%s/built.so", folder);
  if (!can_build(options, recipe, folder, row))
    return;
  build_images(recipe, folder, row);
  workshop_bind(folder, row->path[WAY_CAPTURED], row->path[WAY_BOUND]);
}

void first_rows_build(const struct options *options, struct first_row rows[FIRST_ROWS])
{
  for (int i = 0; i < FIRST_ROWS; i++) {
    rows[i].name = recipes[i].name;
    rows[i].title = recipes[i].title;
    build(options, &recipes[i], &rows[i]);
  }
}
