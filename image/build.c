// SPDX-License-Identifier: MIT
//
// build: sources -> LLVM -> objects -> lld -> resolved image.
#include "codegen/codegen.h"
#include "image/described.h"
#include "image/finish.h"
#include "image/sources.h"
#include "linker/linker.h"

#include <ctype.h>
#include <errno.h>
#include <llvm-c/Core.h>
#include <pkgimg/build.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- options

static bool good_name(const char *name)
{
  if (!name || !isalnum((unsigned char)*name))
    return false;
  for (const char *c = name; *c; c++)
    if (!isalnum((unsigned char)*c) && !strchr("._+-", *c))
      return false;
  return strlen(name) < 128;
}

static enum pkgimg_status check_options(const struct pkgimg_build_options *options, struct pkgimg_error *error)
{
  if (!options || options->size != sizeof *options)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "struct pkgimg_build_options: size: expected %zu, found %zu",
                sizeof *options, options ? options->size : 0);
  if (!good_name(options->name))
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, NULL, options->name ? options->name : "(none)",
                     "not a package name: letters, digits and . _ + -, not beginning with a sign");
  if (options->optimize > 3)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "optimisation level: expected 0 to 3, found %u",
                options->optimize);
  if (options->debug > 3)
    return fail(error, PKGIMG_INVALID_ARGUMENT, NULL, "debug level: expected 0 to 3, found %u", options->debug);
  if (options->roots.count && !options->precompile)
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, NULL, options->roots.items[0],
                     "roots name what a precompile function leaves: expected one, found none");
  if (options->graph && (options->precompile || options->emit != PKGIMG_EMIT_IMAGE))
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, NULL, options->name,
                     "a graph is part of an image without a precompile function");
  if (options->graph)
    TRY(describe_check(options->graph, options->name, error));
  if (options->sysimage && options->deps.count)
    return fail_name(error, PKGIMG_INVALID_ARGUMENT, NULL, options->name,
                     "a system image has no dependencies: expected none, found %s%s", options->deps.items[0],
                     options->deps.count > 1 ? " and more" : "");
  return PKGIMG_OK;
}

// What is asked for by name stays, whatever the exports are.
static enum pkgimg_status list_kept(const struct pkgimg_build_options *options, struct string_list *kept,
                                    struct pkgimg_error *error)
{
  if (options->init)
    TRY(string_list_add(kept, error, "%s", options->init));
  if (options->precompile)
    TRY(string_list_add(kept, error, "%s", options->precompile));
  for (size_t i = 0; i < options->roots.count; i++)
    TRY(string_list_add(kept, error, "%s", options->roots.items[i]));
  if (options->graph)
    TRY(described_list_kept(options->graph, kept, error));
  return PKGIMG_OK;
}

static size_t thread_count(const struct pkgimg_build_options *options)
{
  const char *name = getenv("PKGIMG_IMAGE_THREADS") ? "PKGIMG_IMAGE_THREADS" : "JULIA_IMAGE_THREADS";
  const char *text = getenv(name);
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  size_t usual = processors < 1 ? 1 : (size_t)processors;
  if (!text)
    return usual;
  char *end, warning[256];
  errno = 0;
  long wanted = strtol(text, &end, 10);
  if (isdigit((unsigned char)*text) && !*end && wanted > 0 && errno == 0)
    return (size_t)wanted;
  int length = snprintf(warning, sizeof warning,
                        "warning: %s: expected a number from 1, found \"%.64s\"; taking %zu\n", name, text, usual);
  diagnose(&(struct diagnostics){options->diagnostic, options->diagnostic_context},
           &(struct buffer){.data = (uint8_t *)warning, .size = (size_t)length});
  return usual;
}

static struct codegen_options codegen_options(const struct pkgimg_build_options *options,
                                              const struct string_list *kept)
{
  static const enum codegen_check_bounds checks[] = {[PKGIMG_CHECK_BOUNDS_AUTO] = CODEGEN_CHECK_AUTO,
                                                     [PKGIMG_CHECK_BOUNDS_YES] = CODEGEN_CHECK_YES,
                                                     [PKGIMG_CHECK_BOUNDS_NO] = CODEGEN_CHECK_NO};
  static const enum codegen_product products[] = {[PKGIMG_EMIT_IMAGE] = CODEGEN_OBJECTS,
                                                  [PKGIMG_EMIT_OBJECT] = CODEGEN_OBJECT,
                                                  [PKGIMG_EMIT_BITCODE] = CODEGEN_BITCODE,
                                                  [PKGIMG_EMIT_ASSEMBLY] = CODEGEN_ASSEMBLY};
  return (struct codegen_options){.name = options->name,
                                  .exports = options->exports.items,
                                  .export_count = options->exports.count,
                                  .keep = (const char *const *)kept->items,
                                  .keep_count = kept->count,
                                  .optimize = options->optimize,
                                  .inline_functions = options->inline_functions,
                                  .check_bounds = checks[options->check_bounds],
                                  .product = products[options->emit],
                                  .threads = thread_count(options),
                                  .take_records = options->emit == PKGIMG_EMIT_IMAGE,
                                  .debug_types = options->debug_types && options->debug != 1,
                                  .declared = options->types};
}

// ---- the results

static enum pkgimg_status publish(const struct pkgimg_build_options *options, const struct buffer *product,
                                  struct pkgimg_error *error)
{
  static const char *const suffixes[] = {[PKGIMG_EMIT_IMAGE] = "so",
                                         [PKGIMG_EMIT_OBJECT] = "o",
                                         [PKGIMG_EMIT_BITCODE] = "bc",
                                         [PKGIMG_EMIT_ASSEMBLY] = "s"};
  char path[256];
  snprintf(path, sizeof path, "%s.%s", options->name, suffixes[options->emit]);
  return file_publish(options->output ? options->output : path, (struct span){product->data, product->size}, 0666,
                      error);
}

static void dispose_modules(LLVMModuleRef const *modules, size_t count)
{
  for (size_t i = 0; i < count; i++)
    LLVMDisposeModule(modules[i]);
}

static enum pkgimg_status read_surroundings(const struct pkgimg_build_options *options, struct deps *deps,
                                            struct target_list *targets, struct pkgimg_error *error)
{
  TRY(deps_read(options, deps, error));
  return targets_parse(options, deps->sysimage, targets, error);
}

static enum pkgimg_status build_modules(const struct pkgimg_build_options *options, LLVMModuleRef const *modules,
                                        size_t count, struct buffer *product, struct pkgimg_error *error)
{
  struct string_list kept AUTO(string_list_deinit) = {0};
  struct codegen_result code AUTO(codegen_result_deinit) = {0};
  struct deps deps AUTO(deps_deinit) = {0};
  struct target_list targets AUTO(target_list_deinit) = {0};
  enum pkgimg_status status = read_surroundings(options, &deps, &targets, error);
  if (status == PKGIMG_OK)
    status = list_kept(options, &kept, error);
  if (status != PKGIMG_OK) {
    dispose_modules(modules, count);
    return status;
  }
  struct codegen_options codegen = codegen_options(options, &kept);
  codegen.targets = targets.code;
  codegen.target_count = targets.count;
  TRY(codegen_run(&codegen, modules, count, &code, error));
  if (options->emit == PKGIMG_EMIT_IMAGE)
    return finish_image(options, &code, &targets, &deps, product, error);
  *product = code.products[0];
  code.products[0] = (struct buffer){0};
  return PKGIMG_OK;
}

void pkgimg_buffer_deinit(struct pkgimg_buffer *buffer)
{
  free(buffer->data);
  *buffer = (struct pkgimg_buffer){0};
}

static enum pkgimg_status build_checked(const struct pkgimg_build_options *options, LLVMModuleRef const *modules,
                                        size_t count, struct pkgimg_buffer *result, struct pkgimg_error *error)
{
  struct buffer product AUTO(buffer_deinit) = {0};
  TRY(build_modules(options, modules, count, &product, error));
  if (!result)
    return publish(options, &product, error);
  *result = (struct pkgimg_buffer){product.data, product.size};
  product = (struct buffer){0};
  return PKGIMG_OK;
}

enum pkgimg_status pkgimg_build_modules(const struct pkgimg_build_options *options,
                                        struct LLVMOpaqueModule *const *modules, size_t count,
                                        struct pkgimg_buffer *result, struct pkgimg_error *error)
{
  enum pkgimg_status status = check_options(options, error);
  if (status == PKGIMG_OK)
    return build_checked(options, modules, count, result, error);
  dispose_modules(modules, count);
  return status;
}

static void dispose_context(LLVMContextRef *context)
{
  LLVMContextDispose(*context);
}

enum pkgimg_status pkgimg_build_files(const struct pkgimg_build_options *options, const char *const *files,
                                      size_t count, struct pkgimg_error *error)
{
  struct string_list sources AUTO(string_list_deinit) = {0};
  TRY(check_options(options, error));
  TRY(sources_list(options, files, count, &sources, error));
  LLVMModuleRef *modules AUTO(free_pointer) = calloc(sources.count, sizeof *modules);
  if (!modules)
    return fail_memory(error, sources.count * sizeof *modules);
  LLVMContextRef context AUTO(dispose_context) = LLVMContextCreate();
  TRY(sources_compile(options, &sources, context, modules, error));
  return build_checked(options, modules, sources.count, NULL, error);
}
