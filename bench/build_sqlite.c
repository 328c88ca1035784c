// SPDX-License-Identifier: MIT
//
// SQLite, one large real package: taken as it is given, or compiled from sqlite3.c as an image and as a library.
#include "bench/workshop.h"

#include <dirent.h>
#include <err.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// Where sqlite3.c was found, and the words that its compiler gets besides.
struct amalgamation {
  char folder[SUBJECT_PATH];
  char words[128][128];
  size_t count;
};

static bool holds_sqlite(const char *folder)
{
  char path[SUBJECT_PATH];
  workshop_path(path, "%s/sqlite3.c", folder);
  return access(path, R_OK) == 0;
}

static bool find_sources(const char *sources, char folder[SUBJECT_PATH])
{
  workshop_path(folder, "%s", sources);
  if (holds_sqlite(folder))
    return true;
  DIR *list = opendir(sources);
  bool found = false;
  for (struct dirent *entry; list && !found && (entry = readdir(list));) {
    workshop_path(folder, "%s/%s", sources, entry->d_name);
    found = entry->d_name[0] != '.' && holds_sqlite(folder);
  }
  if (list)
    closedir(list);
  return found;
}

// Absolute: a compiler may run elsewhere, and dlopen searches for names without a slash.
static void resolve(const char *path, char result[SUBJECT_PATH])
{
  char *absolute = realpath(path, NULL);
  if (!absolute)
    err(1, "%s", path);
  workshop_path(result, "%s", absolute);
  free(absolute);
}

static void read_words(const char *path, struct amalgamation *amalgamation)
{
  FILE *file = fopen(path, "r");
  if (!file)
    err(1, "%s", path);
  size_t most = sizeof amalgamation->words / sizeof amalgamation->words[0];
  while (amalgamation->count < most && fscanf(file, "%127s", amalgamation->words[amalgamation->count]) == 1)
    amalgamation->count++;
  fclose(file);
}

static void library_command(const struct options *options, const struct amalgamation *source, const char *output,
                            bool tuned, struct command *command)
{
  command_add(command, "%s", options->compiler);
  command_add(command, "-O2");
  command_add(command, "-fPIC");
  command_add(command, "-shared");
  command_add(command, "-I%s", source->folder);
  for (size_t i = 0; i < source->count; i++)
    command_add(command, "%s", source->words[i]);
  if (tuned) {
    command_add(command, "-fno-plt");
    command_add(command, "-Wl,-O1,--hash-style=gnu,-z,now,-Bsymbolic-functions,--as-needed");
  }
  command_add(command, "%s/sqlite3.c", source->folder);
  command_add(command, "-lm");
  command_add(command, "-o");
  command_add(command, "%s", output);
}

static void write_manifest(const struct amalgamation *source, const char *path)
{
  FILE *file = fopen(path, "w");
  if (!file)
    err(1, "%s", path);
  fputs("name = \"sqlite\";\nsources = [\"sqlite3.c\"];\nlibs = [\"libm.so.6\"];\ncflags = [\"-I.\"", file);
  for (size_t i = 0; i < source->count; i++)
    fprintf(file, ", \"%s\"", source->words[i]);
  fputs("];\n", file);
  if (fclose(file))
    err(1, "%s", path);
}

static void image_command(const struct amalgamation *source, const char *output, struct command *command)
{
  char manifest[SUBJECT_PATH];
  workshop_path(manifest, "%s.ucl", output);
  write_manifest(source, manifest);
  command_add(command, "%s/pkgimg", workshop_programs());
  command_add(command, "build");
  command_add(command, "%s", manifest);
  command_add(command, "--folder");
  command_add(command, "%s", source->folder);
  command_add(command, "-o");
  command_add(command, "%s", output);
}

// The command line, and what it reads, by size and time.
static void make_stamp(const struct amalgamation *source, enum peer peer, const struct command *command,
                       char *stamp, size_t size)
{
  char path[SUBJECT_PATH];
  struct stat info = {0};
  workshop_path(path, "%s/sqlite3.c", source->folder);
  if (stat(path, &info))
    err(1, "%s", path);
  size_t used = (size_t)snprintf(stamp, size, "%ld %ld\n", (long)info.st_size, (long)info.st_mtime);
  for (size_t i = 0; i < command->count && used < size; i++)
    used += (size_t)snprintf(stamp + used, size - used, "%s\n", command->words[i]);
  if (peer == PEER_PKGIMG && used < size)
    workshop_pkgimg_identity(stamp + used, size - used);
}

static void ensure_built(const struct amalgamation *source, enum peer peer, const char *folder,
                         const struct command *command)
{
  char stamp[4000], output[64];
  make_stamp(source, peer, command, stamp, sizeof stamp);
  if (workshop_is_fresh(folder, stamp))
    return;
  fprintf(stderr, "building %s\n", folder);
  workshop_begin(folder);
  process_run(command, output, sizeof output);
  workshop_finish(folder, stamp);
}

static void build(const struct options *options, const struct amalgamation *source, enum peer peer,
                  const char *folder, char path[SUBJECT_PATH])
{
  struct command command = {0};
  workshop_path(path, peer == PEER_PKGIMG ? "%s/sqlite.so" : "%s/libsqlite.so", folder);
  if (peer == PEER_PKGIMG)
    image_command(source, path, &command);
  else
    library_command(options, source, path, peer == PEER_TUNED, &command);
  ensure_built(source, peer, folder, &command);
  command_deinit(&command);
}

static void build_all(const struct options *options, const struct amalgamation *source, struct subject *subject)
{
  char folder[SUBJECT_PATH];
  workshop_folder(options, folder, "sqlite/library");
  build(options, source, PEER_NOW, folder, subject->path[PEER_NOW]);
  if (options->tuned) {
    workshop_folder(options, folder, "sqlite/tuned");
    build(options, source, PEER_TUNED, folder, subject->path[PEER_TUNED]);
  }
  if (!options->keep_pkgimg_out) {
    workshop_folder(options, folder, "sqlite/image");
    build(options, source, PEER_PKGIMG, folder, subject->path[PEER_PKGIMG]);
  }
}

static void skip(struct subject *subject, const char *why, const char *what)
{
  snprintf(subject->skipped, sizeof subject->skipped, "%s%.200s", why, what);
}

static void take_given(const struct options *options, struct subject *subject)
{
  if (!options->sqlite_library || (!options->sqlite_image && !options->keep_pkgimg_out)) {
    skip(subject, "both --sqlite-image and --sqlite-library are needed", "");
    return;
  }
  resolve(options->sqlite_library, subject->path[PEER_NOW]);
  if (!options->keep_pkgimg_out)
    resolve(options->sqlite_image, subject->path[PEER_PKGIMG]);
}

void subject_sqlite(const struct options *options, struct subject *subject)
{
  struct amalgamation source = {.count = 0};
  snprintf(subject->title, sizeof subject->title, "SQLite, one package");
  subject->workload = "sqlite";
  subject->packages = 1;
  snprintf(subject->symbol, sizeof subject->symbol, "sqlite3_open");
  if (options->sqlite_image || options->sqlite_library)
    take_given(options, subject);
  else if (!options->sources)
    skip(subject, "neither --sources nor --sqlite-image and --sqlite-library were given", "");
  else if (!find_sources(options->sources, source.folder))
    skip(subject, "no sqlite3.c in ", options->sources);
  if (subject->skipped[0])
    return;
  if (options->sqlite_options)
    read_words(options->sqlite_options, &source);
  if (!subject->path[PEER_NOW][0]) {
    resolve(source.folder, source.folder);
    build_all(options, &source, subject);
  }
  workshop_path(subject->path[PEER_LAZY], "%s", subject->path[PEER_NOW]);
  relocations_add(&subject->relocations, subject->path[PEER_NOW]);
}
