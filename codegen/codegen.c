// SPDX-License-Identifier: MIT
#include "codegen/codegen.h"

#include "codegen/compile.h"
#include "codegen/parts.h"
#include "codegen/prepare.h"
#include "codegen/records.h"
#include "codegen/shards.h"
#include "codegen/target.h"

#include <llvm-c/Core.h>
#include <llvm-c/Linker.h>
#include <llvm-c/Target.h>
#include <pthread.h>
#include <stdlib.h>

static void start_llvm(void)
{
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeX86AsmParser();
}

// ---- merging

static enum pkgimg_status merge(const struct codegen_options *options, LLVMModuleRef const *modules, size_t count,
                                const struct complaint *complaint, LLVMModuleRef *merged,
                                struct pkgimg_error *error)
{
  enum pkgimg_status status = PKGIMG_OK;
  *merged = modules[0];
  for (size_t i = 1; i < count; i++) {
    if (status != PKGIMG_OK)
      LLVMDisposeModule(modules[i]);
    else if (LLVMLinkModules2(*merged, modules[i]))
      status = refuse(options, "merging modules", complaint->text, error);
  }
  return status;
}

// ---- in one piece

static enum pkgimg_status run_one(const struct codegen_options *options, LLVMModuleRef module,
                                  struct codegen_result *result, struct pkgimg_error *error)
{
  LLVMTargetMachineRef machine AUTO(dispose_machine) = NULL;
  TRY(make_machine(options, module, target_of(options, 0), &machine, error));
  set_target(module, target_of(options, 0));
  TRY(optimise(options, module, machine, error));
  if (options->product != CODEGEN_BITCODE)
    place_constructors(module);
  TRY(result_allocate(result, 1, error));
  return emit(options, module, machine, &result->products[0], error);
}

// ---- all of it

void codegen_result_deinit(struct codegen_result *result)
{
  for (size_t i = 0; result->products && i < result->product_count; i++)
    buffer_deinit(&result->products[i]);
  free(result->products);
  for (size_t i = 0; i < result->clone_count; i++)
    free(result->clones[i].name);
  free(result->clones);
  records_deinit(&result->records);
  records_deinit(&result->debug_records);
  *result = (struct codegen_result){0};
}

enum pkgimg_status result_allocate(struct codegen_result *result, size_t count, struct pkgimg_error *error)
{
  result->products = calloc(count, sizeof *result->products);
  result->product_count = result->products ? count : 0;
  return result->products ? PKGIMG_OK : fail_memory(error, count * sizeof *result->products);
}

static enum pkgimg_status check_targets(const struct codegen_options *options, struct pkgimg_error *error)
{
  if (options->target_count > 1 && options->product != CODEGEN_OBJECTS)
    return fail(error, PKGIMG_INVALID_ARGUMENT, options->name, "only an image can hold code for several targets");
  if (options->target_count > CODEGEN_MAX_TARGETS)
    return fail(error, PKGIMG_INVALID_ARGUMENT, options->name, "%zu targets; %d are allowed",
                options->target_count, CODEGEN_MAX_TARGETS);
  return PKGIMG_OK;
}

enum pkgimg_status codegen_run(const struct codegen_options *options, LLVMModuleRef const *modules, size_t count,
                               struct codegen_result *result, struct pkgimg_error *error)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, start_llvm);
  if (count == 0)
    return fail(error, PKGIMG_INVALID_ARGUMENT, options->name, "no modules to build from");
  struct complaint complaint AUTO(complaint_end);
  complaint_begin(&complaint, LLVMGetModuleContext(modules[0]));
  LLVMModuleRef module AUTO(dispose_module) = NULL;
  TRY(merge(options, modules, count, &complaint, &module, error));
  *result = (struct codegen_result){0};
  TRY(check_targets(options, error));
  if (options->take_records)
    TRY(records_take(options, module, result, error));
  prepare_module(options, module);
  TRY(check_module(options, module, error));
  bool in_parts = options->product == CODEGEN_OBJECTS && (options->target_count > 1 || shards_pay(module));
  TRY((in_parts ? run_parts : run_one)(options, module, result, error));
  if (complaint.text[0])
    return refuse(options, "emitting code", complaint.text, error);
  return PKGIMG_OK;
}
