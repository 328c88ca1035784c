// SPDX-License-Identifier: MIT
#include "image/sources.h"

#include "codegen/codegen.h"
#include "linker/linker.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <llvm-c/Core.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum source_kind { SOURCE_UNKNOWN, SOURCE_COMPILED, SOURCE_IR };

static enum source_kind kind_of(const char *file)
{
  static const struct {
    const char *suffix;
    enum source_kind kind;
  } kinds[] = {{".c", SOURCE_COMPILED},   {".cc", SOURCE_COMPILED}, {".cpp", SOURCE_COMPILED},
               {".cxx", SOURCE_COMPILED}, {".ll", SOURCE_IR},       {".bc", SOURCE_IR}};
  const char *suffix = strrchr(file, '.');
  for (size_t i = 0; suffix && i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(suffix, kinds[i].suffix) == 0)
      return kinds[i].kind;
  return SOURCE_UNKNOWN;
}

// The path of a source for this process: relative ones start at the build's folder.
static void path_of(const struct pkgimg_build_options *options, const char *file, char *path, size_t size)
{
  if (options->folder && file[0] != '/')
    snprintf(path, size, "%s/%s", options->folder, file);
  else
    snprintf(path, size, "%s", file);
}

// ---- which files

static int by_name(const void *left, const void *right)
{
  return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void close_folder(DIR **folder)
{
  if (*folder)
    closedir(*folder);
}

static enum pkgimg_status list_folder(const char *path, const char *file, struct string_list *sources,
                                      struct pkgimg_error *error)
{
  size_t first = sources->count;
  DIR *folder AUTO(close_folder) = opendir(path);
  if (!folder)
    return fail_system(error, path, "opendir");
  for (struct dirent *entry; (entry = readdir(folder));)
    if (entry->d_name[0] != '.' && kind_of(entry->d_name) != SOURCE_UNKNOWN)
      TRY(string_list_add(sources, error, "%s/%s", file, entry->d_name));
  if (sources->count == first)
    return fail(error, PKGIMG_NOT_FOUND, path, "the folder holds no .c, .cc, .cpp, .cxx, .ll or .bc file");
  qsort(sources->items + first, sources->count - first, sizeof *sources->items, by_name);
  return PKGIMG_OK;
}

enum pkgimg_status sources_list(const struct pkgimg_build_options *options, const char *const *files, size_t count,
                                struct string_list *sources, struct pkgimg_error *error)
{
  for (size_t i = 0; i < count; i++) {
    char path[4096];
    struct stat status;
    path_of(options, files[i], path, sizeof path);
    if (stat(path, &status) < 0)
      return fail_system(error, path, "stat");
    if (S_ISDIR(status.st_mode))
      TRY(list_folder(path, files[i], sources, error));
    else if (kind_of(files[i]) == SOURCE_UNKNOWN)
      return fail(error, PKGIMG_INVALID_ARGUMENT, path, "not a .c, .cc, .cpp, .cxx, .ll or .bc file");
    else
      TRY(string_list_add(sources, error, "%s", files[i]));
  }
  if (sources->count == 0)
    return fail(error, PKGIMG_INVALID_ARGUMENT, options->name, "no sources");
  return PKGIMG_OK;
}

// ---- clang

struct compilation {
  const struct pkgimg_build_options *options;
  const struct string_list *sources;
  struct scratch scratch;
  char folder[4096];  // absolute
  pthread_mutex_t lock;
  size_t next;
  enum pkgimg_status status;
  struct pkgimg_error *error;
};

// The folder with <pkgimg/package.h>: beside this library when it is installed, else the source tree.
static void include_folder(char path[4096])
{
  char header[4096 + 32];
  Dl_info self = {0};
  const char *library = dladdr((const void *)(uintptr_t)include_folder, &self) ? self.dli_fname : "";
  const char *slash = strrchr(library, '/');
  int length = slash ? (int)(slash - library) : 0;
  snprintf(path, 4096, "%.*s/../include", length, library);
  snprintf(header, sizeof header, "%s/pkgimg/package.h", path);
  if (!slash || access(header, R_OK) < 0)
    snprintf(path, 4096, "%s", PKGIMG_SOURCE_INCLUDE);
}

// The passes run later, on the whole package at once; clang only has to annotate for them. Paths
// are replaced so that neither __FILE__ nor debug information knows where the build took place.
static enum pkgimg_status add_fixed_arguments(const struct compilation *work, struct string_list *arguments,
                                              struct pkgimg_error *error)
{
  const struct pkgimg_build_options *options = work->options;
  char include[4096];
  include_folder(include);
  TRY(string_list_add(arguments, error, "%s", options->front_end ? options->front_end : PKGIMG_CLANG));
  TRY(string_list_add(arguments, error, "-c"));
  TRY(string_list_add(arguments, error, "-emit-llvm"));
  TRY(string_list_add(arguments, error, "-O%u", options->optimize));
  TRY(string_list_add(arguments, error, "-Xclang"));
  TRY(string_list_add(arguments, error, options->optimize ? "-disable-llvm-passes" : "-disable-O0-optnone"));
  TRY(string_list_add(arguments, error, "-fPIC"));
  TRY(string_list_add(arguments, error, "-fno-plt"));
  TRY(string_list_add(arguments, error, "-fno-semantic-interposition"));
  if (options->debug)
    TRY(string_list_add(arguments, error, "-g%u", options->debug));
  TRY(string_list_add(arguments, error, "-ffile-prefix-map=%s=.", work->folder));
  TRY(string_list_add(arguments, error, "-ffile-prefix-map=%s=pkgimg-include", include));
  TRY(string_list_add(arguments, error, "-fdebug-compilation-dir=."));
  TRY(string_list_add(arguments, error, "-isystem%s/pkgimg/c++", include));
  return string_list_add(arguments, error, "-idirafter%s", include);
}

static enum pkgimg_status clang_arguments(const struct compilation *work, size_t index,
                                          struct string_list *arguments, struct pkgimg_error *error)
{
  TRY(add_fixed_arguments(work, arguments, error));
  for (size_t i = 0; i < work->options->cflags.count; i++)
    TRY(string_list_add(arguments, error, "%s", work->options->cflags.items[i]));
  TRY(string_list_add(arguments, error, "-o"));
  TRY(string_list_add(arguments, error, "%s/%zu.bc", work->scratch.path, index));
  return string_list_add(arguments, error, "%s", work->sources->items[index]);
}

static enum pkgimg_status run_clang(struct compilation *work, size_t index, struct pkgimg_error *error)
{
  struct string_list arguments AUTO(string_list_deinit) = {0};
  struct buffer report AUTO(buffer_deinit) = {0};
  int code = 0;
  TRY(clang_arguments(work, index, &arguments, error));
  TRY(child_run(arguments.items, work->options->folder, 0, &report, &code, error));
  pthread_mutex_lock(&work->lock);
  diagnose(&(struct diagnostics){work->options->diagnostic, work->options->diagnostic_context}, &report);
  pthread_mutex_unlock(&work->lock);
  if (code)
    return fail(error, PKGIMG_COMPILE, work->sources->items[index], "clang failed with code %d", code);
  return PKGIMG_OK;
}

// Take the next source until none is left or one has failed.
static void *compile_some(void *argument)
{
  struct compilation *work = argument;
  for (;;) {
    pthread_mutex_lock(&work->lock);
    size_t index = work->next++;
    bool done = index >= work->sources->count || work->status != PKGIMG_OK;
    pthread_mutex_unlock(&work->lock);
    if (done)
      return NULL;
    struct pkgimg_error error;
    enum pkgimg_status status =
        kind_of(work->sources->items[index]) == SOURCE_COMPILED ? run_clang(work, index, &error) : PKGIMG_OK;
    pthread_mutex_lock(&work->lock);
    if (status != PKGIMG_OK && work->status == PKGIMG_OK) {
      work->status = status;
      if (work->error)
        *work->error = error;
    }
    pthread_mutex_unlock(&work->lock);
  }
}

static enum pkgimg_status compile_all(struct compilation *work)
{
  enum { MAX_THREADS = 64 };
  pthread_t threads[MAX_THREADS];
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  long wanted = processors > MAX_THREADS ? MAX_THREADS : processors;
  long started = 0;
  while (started + 1 < wanted && (size_t)started + 1 < work->sources->count &&
         pthread_create(&threads[started], NULL, compile_some, work) == 0)
    started++;
  compile_some(work);
  while (started > 0)
    pthread_join(threads[--started], NULL);
  return work->status;
}

static enum pkgimg_status parse_one(const struct compilation *work, size_t index, LLVMContextRef context,
                                    LLVMModuleRef *module)
{
  struct buffer bytes AUTO(buffer_deinit) = {0};
  const char *source = work->sources->items[index];
  char path[4096];
  if (kind_of(source) == SOURCE_COMPILED)
    snprintf(path, sizeof path, "%s/%zu.bc", work->scratch.path, index);
  else
    path_of(work->options, source, path, sizeof path);
  TRY(file_read(path, &bytes, work->error));
  return codegen_parse(context, source, (struct span){bytes.data, bytes.size}, module, work->error);
}

static enum pkgimg_status parse_all(const struct compilation *work, LLVMContextRef context, LLVMModuleRef *modules)
{
  for (size_t i = 0; i < work->sources->count; i++) {
    enum pkgimg_status status = parse_one(work, i, context, &modules[i]);
    if (status == PKGIMG_OK)
      continue;
    while (i > 0)
      LLVMDisposeModule(modules[--i]);
    return status;
  }
  return PKGIMG_OK;
}

static void compilation_deinit(struct compilation *work)
{
  scratch_deinit(&work->scratch);
  pthread_mutex_destroy(&work->lock);
}

enum pkgimg_status sources_compile(const struct pkgimg_build_options *options, const struct string_list *sources,
                                   LLVMContextRef context, LLVMModuleRef *modules, struct pkgimg_error *error)
{
  struct compilation work AUTO(compilation_deinit) = {
      .options = options, .sources = sources, .lock = PTHREAD_MUTEX_INITIALIZER, .error = error};
  const char *folder = options->folder ? options->folder : ".";
  char *absolute AUTO(free_pointer) = realpath(folder, NULL);
  if (!absolute || snprintf(work.folder, sizeof work.folder, "%s", absolute) >= (int)sizeof work.folder)
    return fail_system(error, folder, "realpath");
  TRY(scratch_init(&work.scratch, error));
  TRY(compile_all(&work));
  return parse_all(&work, context, modules);
}
