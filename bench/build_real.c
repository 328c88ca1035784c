// SPDX-License-Identifier: MIT
//
// Real packages: other people's sources, compiled by one compiler with the same flags as an image and as ordinary
// libraries. What the sources are and how they become files is told by a recipe; nothing is fetched here.
#include "bench/random.h"
#include "bench/workshop.h"

#include <dirent.h>
#include <err.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct recipe {
  const char *row;  // also the name of the package, and of its workload
  const char *title;
  const char *tells;    // a file that tells the folder of its sources
  const char *pattern;  // of the sources in that folder
  const char *flags[8];
  const char *library;  // of the host that it needs beside libc, or NULL
  bool takes_options;   // those of --sqlite-options
};

static const struct recipe recipes[] = {
    {.row = "zlib",
     .title = "zlib, one package",
     .tells = "zutil.h",
     .pattern = "*.c",
     .flags = {"-DHAVE_HIDDEN", "-DHAVE_UNISTD_H", "-DHAVE_STDARG_H", "-D_LARGEFILE64_SOURCE=1",
               "-Wno-deprecated-non-prototype"}},
    {.row = "sqlite",
     .title = "SQLite, one package",
     .tells = "sqlite3.c",
     .pattern = "sqlite3.c",
     .library = "libm.so.6",
     .takes_options = true},
};

// A recipe and what was found for it.
struct source {
  const struct recipe *recipe;
  char folder[SUBJECT_PATH];  // absolute: a compiler may run elsewhere
  struct command files;       // names in the folder, sorted
  struct command flags;
};

static const struct recipe *find_recipe(const char *row)
{
  for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++)
    if (!strcmp(recipes[i].row, row))
      return &recipes[i];
  errx(1, "no recipe for %s", row);
}

static bool holds(const char *folder, const char *file)
{
  char path[SUBJECT_PATH];
  workshop_path(path, "%s/%s", folder, file);
  return access(path, R_OK) == 0;
}

// Names in a folder that match; sorted, so that the same folder always gives the same package.
static struct command list_names(const char *folder, const char *pattern)
{
  struct command names = {0};
  struct dirent **entries = NULL;
  int count = scandir(folder, &entries, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    if (!fnmatch(pattern, entries[i]->d_name, FNM_PERIOD))
      command_add(&names, "%s", entries[i]->d_name);
    free(entries[i]);
  }
  free(entries);
  return names;
}

// `sources` itself, or the first of its folders that holds the file.
static bool find_folder(const char *sources, const char *tells, char folder[SUBJECT_PATH])
{
  workshop_path(folder, "%s", sources);
  bool found = holds(folder, tells);
  struct command names = list_names(sources, "*");
  for (size_t i = 0; i < names.count && !found; i++) {
    workshop_path(folder, "%s/%s", sources, names.words[i]);
    found = holds(folder, tells);
  }
  command_deinit(&names);
  return found;
}

static void resolve(char path[SUBJECT_PATH])
{
  char *absolute = realpath(path, NULL);
  if (!absolute)
    err(1, "%s", path);
  workshop_path(path, "%s", absolute);
  free(absolute);
}

static void read_words(const char *path, struct command *words)
{
  FILE *file = fopen(path, "r");
  if (!file)
    err(1, "%s", path);
  for (char *word; fscanf(file, "%ms", &word) == 1; free(word))
    command_add(words, "%s", word);
  fclose(file);
}

static void source_init(struct source *source, const struct options *options)
{
  const struct recipe *recipe = source->recipe;
  resolve(source->folder);
  source->files = list_names(source->folder, recipe->pattern);
  for (size_t i = 0; recipe->flags[i]; i++)
    command_add(&source->flags, "%s", recipe->flags[i]);
  if (recipe->takes_options && options->sqlite_options)
    read_words(options->sqlite_options, &source->flags);
}

static void source_deinit(struct source *source)
{
  command_deinit(&source->files);
  command_deinit(&source->flags);
}

static void library_command(const struct source *source, const char *compiler, enum peer peer, const char *output,
                            struct command *command)
{
  command_add(command, "%s", compiler);
  command_add(command, "-O2");
  command_add(command, "-fPIC");
  command_add(command, "-shared");
  command_add(command, "-I%s", source->folder);
  for (size_t i = 0; i < source->flags.count; i++)
    command_add(command, "%s", source->flags.words[i]);
  if (peer == PEER_TUNED) {
    command_add(command, "-fno-plt");
    command_add(command, "-Wl,-O1,--hash-style=gnu,-z,now,-Bsymbolic-functions,--as-needed");
  }
  for (size_t i = 0; i < source->files.count; i++)
    command_add(command, "%s/%s", source->folder, source->files.words[i]);
  if (source->recipe->library)
    command_add(command, "-l:%s", source->recipe->library);
  command_add(command, "-o");
  command_add(command, "%s", output);
}

static void image_command(const struct source *source, const char *output, struct command *command)
{
  command_add(command, "%s/pkgimg", workshop_programs());
  command_add(command, "build");
  for (size_t i = 0; i < source->files.count; i++)
    command_add(command, "%s", source->files.words[i]);
  command_add(command, "--folder=%s", source->folder);
  command_add(command, "--name=%s", source->recipe->row);
  command_add(command, "--cflags=-I.");
  for (size_t i = 0; i < source->flags.count; i++)
    command_add(command, "--cflags=%s", source->flags.words[i]);
  if (source->recipe->library)
    command_add(command, "--lib=%s", source->recipe->library);
  command_add(command, "-o");
  command_add(command, "%s", output);
}

static uint64_t digest_text(uint64_t digest, const char *text)
{
  do
    digest = random_mix(digest + (unsigned char)*text);
  while (*text++);
  return digest;
}

// The sources by size and time.
static uint64_t digest_files(uint64_t digest, const struct source *source)
{
  for (size_t i = 0; i < source->files.count; i++) {
    char path[SUBJECT_PATH], text[64];
    struct stat info;
    workshop_path(path, "%s/%s", source->folder, source->files.words[i]);
    if (stat(path, &info))
      err(1, "%s", path);
    snprintf(text, sizeof text, "%ld %ld", (long)info.st_size, (long)info.st_mtime);
    digest = digest_text(digest, text);
  }
  return digest;
}

// A digest, as a command line of any length must fit in.
static void make_stamp(const struct source *source, enum peer peer, const struct command *command, char *stamp,
                       size_t size)
{
  uint64_t digest = digest_files(1, source);
  for (size_t i = 0; i < command->count; i++)
    digest = digest_text(digest, command->words[i]);
  int used = snprintf(stamp, size, "%s %016lx\n", source->recipe->row, (unsigned long)digest);
  if (peer == PEER_PKGIMG)
    workshop_pkgimg_identity(stamp + used, size - (size_t)used);
}

static void ensure_built(const struct source *source, enum peer peer, const char *folder,
                         const struct command *command)
{
  char stamp[2048], output[4096];
  make_stamp(source, peer, command, stamp, sizeof stamp);
  if (workshop_is_fresh(folder, stamp))
    return;
  fprintf(stderr, "building %s\n", folder);
  workshop_begin(folder);
  process_run(command, output, sizeof output);
  workshop_finish(folder, stamp);
}

static void build(const struct source *source, const struct options *options, enum peer peer,
                  char path[SUBJECT_PATH])
{
  static const char *const names[PEER_COUNT] = {
      [PEER_PKGIMG] = "image", [PEER_NOW] = "library", [PEER_TUNED] = "tuned"};
  char name[64], folder[SUBJECT_PATH];
  struct command command = {0};
  snprintf(name, sizeof name, "%s/%s", source->recipe->row, names[peer]);
  workshop_folder(options, folder, name);
  workshop_path(path, "%s/%s%s.so", folder, peer == PEER_PKGIMG ? "" : "lib", source->recipe->row);
  if (peer == PEER_PKGIMG)
    image_command(source, path, &command);
  else
    library_command(source, options->compiler, peer, path, &command);
  ensure_built(source, peer, folder, &command);
  command_deinit(&command);
}

static void build_all(const struct source *source, const struct options *options, struct subject *subject)
{
  build(source, options, PEER_NOW, subject->path[PEER_NOW]);
  workshop_path(subject->path[PEER_LAZY], "%s", subject->path[PEER_NOW]);
  if (options->tuned)
    build(source, options, PEER_TUNED, subject->path[PEER_TUNED]);
  if (!options->keep_pkgimg_out) {
    char name[64], folder[SUBJECT_PATH];
    build(source, options, PEER_PKGIMG, subject->path[PEER_PKGIMG]);
    snprintf(name, sizeof name, "%s/bundle", source->recipe->row);
    workshop_folder(options, folder, name);
    workshop_bind(folder, subject->path[PEER_PKGIMG], subject->path[PEER_BOUND]);
  }
  relocations_add(&subject->relocations, subject->path[PEER_NOW]);
}

void subject_real(const struct options *options, struct subject *subject)
{
  const struct recipe *recipe = find_recipe(subject->row);
  struct source source = {.recipe = recipe};
  snprintf(subject->title, sizeof subject->title, "%s", recipe->title);
  subject->workload = recipe->row;
  subject->packages = 1;
  if (!options->sources) {
    snprintf(subject->skipped, sizeof subject->skipped, "no --sources were given");
  } else if (!find_folder(options->sources, recipe->tells, source.folder)) {
    snprintf(subject->skipped, sizeof subject->skipped, "no %s in %.200s", recipe->tells, options->sources);
  } else {
    source_init(&source, options);
    build_all(&source, options, subject);
    source_deinit(&source);
  }
}

bool subject_real_command(const struct options *options, const char *row, const char *output,
                          struct command *command)
{
  struct source source = {.recipe = find_recipe(row)};
  if (!options->sources || !find_folder(options->sources, source.recipe->tells, source.folder))
    return false;
  source_init(&source, options);
  image_command(&source, output, command);
  source_deinit(&source);
  return true;
}
