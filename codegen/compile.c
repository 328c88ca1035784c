// SPDX-License-Identifier: MIT
#include "codegen/compile.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/BitWriter.h>
#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/IRReader.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <stdio.h>
#include <string.h>

// ---- what LLVM complains of

static void take_complaint(LLVMDiagnosticInfoRef info, void *context)
{
  struct complaint *complaint = context;
  char *text = LLVMGetDiagInfoDescription(info);
  if (LLVMGetDiagInfoSeverity(info) == LLVMDSError && !complaint->text[0])
    snprintf(complaint->text, sizeof complaint->text, "%s", text);
  LLVMDisposeMessage(text);
}

void complaint_begin(struct complaint *complaint, LLVMContextRef context)
{
  *complaint = (struct complaint){.context = context,
                                  .old_handler = LLVMContextGetDiagnosticHandler(context),
                                  .old_context = LLVMContextGetDiagnosticContext(context)};
  LLVMContextSetDiagnosticHandler(context, take_complaint, complaint);
}

void complaint_end(struct complaint *complaint)
{
  if (complaint->context)
    LLVMContextSetDiagnosticHandler(complaint->context, complaint->old_handler, complaint->old_context);
}

enum pkgimg_status refuse(const struct codegen_options *options, const char *what, const char *why,
                          struct pkgimg_error *error)
{
  return fail(error, PKGIMG_COMPILE, options->name, "%s: %s", what, why && *why ? why : "LLVM does not say why");
}

// ---- parsing

enum pkgimg_status codegen_parse(LLVMContextRef context, const char *file, struct span bytes,
                                 LLVMModuleRef *module, struct pkgimg_error *error)
{
  struct complaint complaint AUTO(complaint_end);
  complaint_begin(&complaint, context);
  char *message = NULL;
  LLVMMemoryBufferRef buffer =
      LLVMCreateMemoryBufferWithMemoryRangeCopy((const char *)bytes.data, bytes.size, file);
  if (!LLVMParseIRInContext(context, buffer, module, &message))
    return PKGIMG_OK;
  fail(error, PKGIMG_COMPILE, NULL, "%s: %s", file, message ? message : complaint.text);
  LLVMDisposeMessage(message);
  return PKGIMG_COMPILE;
}

// ---- what belongs to a compilation

void dispose_module(LLVMModuleRef *module)
{
  if (*module)
    LLVMDisposeModule(*module);
}

void dispose_machine(LLVMTargetMachineRef *machine)
{
  if (*machine)
    LLVMDisposeTargetMachine(*machine);
}

void dispose_context(LLVMContextRef *context)
{
  LLVMContextDispose(*context);
}

// ---- the target

enum pkgimg_status make_machine(const struct codegen_options *options, LLVMModuleRef module,
                                const struct codegen_target *kind, LLVMTargetMachineRef *machine,
                                struct pkgimg_error *error)
{
  static const LLVMCodeGenOptLevel levels[] = {LLVMCodeGenLevelNone, LLVMCodeGenLevelLess, LLVMCodeGenLevelDefault,
                                               LLVMCodeGenLevelAggressive};
  const char *triple = LLVMGetTarget(module);
  LLVMTargetRef target;
  char *message = NULL;
  if (!*triple)
    triple = "x86_64-pc-linux-gnu";
  if (strncmp(triple, "x86_64", 6) != 0)
    return refuse(options, "the module is for another processor", triple, error);
  if (LLVMGetTargetFromTriple(triple, &target, &message)) {
    enum pkgimg_status status = refuse(options, triple, message, error);
    LLVMDisposeMessage(message);
    return status;
  }
  *machine = LLVMCreateTargetMachine(target, triple, kind->cpu, kind->features, levels[options->optimize],
                                     LLVMRelocPIC, LLVMCodeModelSmall);
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(*machine);
  LLVMSetTarget(module, triple);
  LLVMSetModuleDataLayout(module, layout);
  LLVMDisposeTargetData(layout);
  return PKGIMG_OK;
}

// ---- optimising

static enum pkgimg_status run_passes(const struct codegen_options *options, LLVMModuleRef module,
                                     LLVMTargetMachineRef machine, const char *passes, struct pkgimg_error *error)
{
  LLVMPassBuilderOptionsRef tuning = LLVMCreatePassBuilderOptions();
  LLVMPassBuilderOptionsSetLoopVectorization(tuning, options->optimize > 1);
  LLVMPassBuilderOptionsSetSLPVectorization(tuning, options->optimize > 1);
  LLVMErrorRef failure = LLVMRunPasses(module, passes, machine, tuning);
  LLVMDisposePassBuilderOptions(tuning);
  if (!failure)
    return PKGIMG_OK;
  char *message = LLVMGetErrorMessage(failure);
  enum pkgimg_status status = refuse(options, passes, message, error);
  LLVMDisposeErrorMessage(message);
  return status;
}

enum pkgimg_status check_module(const struct codegen_options *options, LLVMModuleRef module,
                                struct pkgimg_error *error)
{
  char *message = NULL;
  enum pkgimg_status status = PKGIMG_OK;
  if (LLVMVerifyModule(module, LLVMReturnStatusAction, &message))
    status = refuse(options, "the module is not valid IR", message, error);
  LLVMDisposeMessage(message);
  return status;
}

// Sizes of objects are known best once memory is in registers, and a check can be hoisted or dropped
// only by what runs after it: so checks go in early, but not first.
static const char *check_passes(const struct codegen_options *options)
{
  bool check = options->check_bounds == CODEGEN_CHECK_YES;
  return check ? "function(sroa,early-cse,instcombine,bounds-checking)," : "";
}

enum pkgimg_status optimise(const struct codegen_options *options, LLVMModuleRef module,
                            LLVMTargetMachineRef machine, struct pkgimg_error *error)
{
  char passes[128];
  snprintf(passes, sizeof passes, "%sdefault<O%u>", check_passes(options), options->optimize);
  return run_passes(options, module, machine, passes, error);
}

enum pkgimg_status optimise_first_half(const struct codegen_options *options, LLVMModuleRef module,
                                       LLVMTargetMachineRef machine, struct pkgimg_error *error)
{
  char passes[128];
  if (options->optimize == 0)
    return optimise(options, module, machine, error);
  snprintf(passes, sizeof passes, "%sthinlto-pre-link<O%u>", check_passes(options), options->optimize);
  return run_passes(options, module, machine, passes, error);
}

enum pkgimg_status optimise_second_half(const struct codegen_options *options, LLVMModuleRef module,
                                        LLVMTargetMachineRef machine, struct pkgimg_error *error)
{
  char passes[64];
  if (options->optimize == 0)
    return PKGIMG_OK;
  snprintf(passes, sizeof passes, "thinlto<O%u>", options->optimize);
  return run_passes(options, module, machine, passes, error);
}

// ---- emitting

enum pkgimg_status emit(const struct codegen_options *options, LLVMModuleRef module, LLVMTargetMachineRef machine,
                        struct buffer *product, struct pkgimg_error *error)
{
  LLVMMemoryBufferRef bytes = NULL;
  char *message = NULL;
  LLVMCodeGenFileType kind = options->product == CODEGEN_ASSEMBLY ? LLVMAssemblyFile : LLVMObjectFile;
  if (options->product == CODEGEN_BITCODE)
    bytes = LLVMWriteBitcodeToMemoryBuffer(module);
  else if (LLVMTargetMachineEmitToMemoryBuffer(machine, module, kind, &message, &bytes)) {
    enum pkgimg_status status = refuse(options, "emitting code", message, error);
    LLVMDisposeMessage(message);
    return status;
  }
  enum pkgimg_status status = buffer_append(product, LLVMGetBufferStart(bytes), LLVMGetBufferSize(bytes), error);
  LLVMDisposeMemoryBuffer(bytes);
  return status;
}
