// SPDX-License-Identifier: MIT
#include "codegen/codegen.h"

#include "codegen/decide.h"
#include "codegen/prepare.h"
#include "codegen/records.h"
#include "codegen/split.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/BitWriter.h>
#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/IRReader.h>
#include <llvm-c/Linker.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void start_llvm(void)
{
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeX86AsmParser();
}

// ---- what LLVM complains of. Without a handler of ours, an error would end the process.

struct complaint {
  LLVMContextRef context;
  LLVMDiagnosticHandler old_handler;
  void *old_context;
  char text[512];
};

static void take_complaint(LLVMDiagnosticInfoRef info, void *context)
{
  struct complaint *complaint = context;
  char *text = LLVMGetDiagInfoDescription(info);
  if (LLVMGetDiagInfoSeverity(info) == LLVMDSError && !complaint->text[0])
    snprintf(complaint->text, sizeof complaint->text, "%s", text);
  LLVMDisposeMessage(text);
}

static void complaint_begin(struct complaint *complaint, LLVMContextRef context)
{
  *complaint = (struct complaint){.context = context,
                                  .old_handler = LLVMContextGetDiagnosticHandler(context),
                                  .old_context = LLVMContextGetDiagnosticContext(context)};
  LLVMContextSetDiagnosticHandler(context, take_complaint, complaint);
}

static void complaint_end(struct complaint *complaint)
{
  if (complaint->context)
    LLVMContextSetDiagnosticHandler(complaint->context, complaint->old_handler, complaint->old_context);
}

static enum pkgimg_status refuse(const struct codegen_options *options, const char *what, const char *why,
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

// ---- merging

static void dispose_module(LLVMModuleRef *module)
{
  if (*module)
    LLVMDisposeModule(*module);
}

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

// ---- the target

static void dispose_machine(LLVMTargetMachineRef *machine)
{
  if (*machine)
    LLVMDisposeTargetMachine(*machine);
}

static enum pkgimg_status make_machine(const struct codegen_options *options, LLVMModuleRef module,
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

static enum pkgimg_status check_module(const struct codegen_options *options, LLVMModuleRef module,
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

// The whole of LLVM's pipeline, or its first half, which does not depend on the processor and is done
// once for several targets. Without optimisation there are no halves.
static enum pkgimg_status optimise(const struct codegen_options *options, LLVMModuleRef module,
                                   LLVMTargetMachineRef machine, struct pkgimg_error *error)
{
  char passes[128];
  bool half = options->target_count > 1 && options->optimize > 0;
  snprintf(passes, sizeof passes, "%s%s<O%u>", check_passes(options), half ? "thinlto-pre-link" : "default",
           options->optimize);
  return run_passes(options, module, machine, passes, error);
}

// The second half, for one target.
static enum pkgimg_status finish_optimising(const struct codegen_options *options, LLVMModuleRef module,
                                            LLVMTargetMachineRef machine, struct pkgimg_error *error)
{
  char passes[64];
  if (options->optimize == 0)
    return PKGIMG_OK;
  snprintf(passes, sizeof passes, "thinlto<O%u>", options->optimize);
  return run_passes(options, module, machine, passes, error);
}

// ---- emitting

static enum pkgimg_status emit(const struct codegen_options *options, LLVMModuleRef module,
                               LLVMTargetMachineRef machine, struct buffer *product, struct pkgimg_error *error)
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

// ---- one target

static const struct codegen_target *target_of(const struct codegen_options *options, size_t index)
{
  static const struct codegen_target generic = {.cpu = "x86-64", .features = "", .clone_all = true};
  return options->target_count ? &options->targets[index] : &generic;
}

static enum pkgimg_status run_one(const struct codegen_options *options, LLVMModuleRef module,
                                  struct codegen_result *result, struct pkgimg_error *error)
{
  LLVMTargetMachineRef machine AUTO(dispose_machine) = NULL;
  TRY(make_machine(options, module, target_of(options, 0), &machine, error));
  set_target(module, target_of(options, 0));
  TRY(optimise(options, module, machine, error));
  if (options->product != CODEGEN_BITCODE)
    place_constructors(module);
  return emit(options, module, machine, &result->products[0], error);
}

// ---- several targets: each part of the module is parsed, split off, and emitted by itself

struct part_work {
  const struct codegen_options *options;
  struct codegen_result *result;
  struct span bitcode;  // of the simplified module
  pthread_mutex_t lock;
  size_t next;
  enum pkgimg_status status;
  struct pkgimg_error *error;
};

static void dispose_context(LLVMContextRef *context)
{
  LLVMContextDispose(*context);
}

static enum pkgimg_status run_part(const struct part_work *work, size_t index, struct pkgimg_error *error)
{
  const struct codegen_options *options = work->options;
  unsigned part = index < options->target_count ? (unsigned)index : SPLIT_REST;
  const struct codegen_target *target = target_of(options, part == SPLIT_REST ? 0 : index);
  LLVMContextRef context AUTO(dispose_context) = LLVMContextCreate();
  struct complaint complaint AUTO(complaint_end);
  complaint_begin(&complaint, context);
  LLVMModuleRef module AUTO(dispose_module) = NULL;
  LLVMTargetMachineRef machine AUTO(dispose_machine) = NULL;
  TRY(codegen_parse(context, options->name, work->bitcode, &module, error));
  TRY(make_machine(options, module, target, &machine, error));
  split_module(module, work->result, part);
  set_target(module, target);
  TRY(check_module(options, module, error));
  TRY(finish_optimising(options, module, machine, error));
  if (part == SPLIT_REST)
    place_constructors(module);
  TRY(emit(options, module, machine, &work->result->products[index], error));
  return complaint.text[0] ? refuse(options, "emitting code", complaint.text, error) : PKGIMG_OK;
}

static void *run_parts(void *argument)
{
  struct part_work *work = argument;
  for (;;) {
    pthread_mutex_lock(&work->lock);
    size_t index = work->next++;
    bool done = index >= work->result->product_count || work->status != PKGIMG_OK;
    pthread_mutex_unlock(&work->lock);
    if (done)
      return NULL;
    struct pkgimg_error error;
    enum pkgimg_status status = run_part(work, index, &error);
    pthread_mutex_lock(&work->lock);
    if (status != PKGIMG_OK && work->status == PKGIMG_OK) {
      work->status = status;
      if (work->error)
        *work->error = error;
    }
    pthread_mutex_unlock(&work->lock);
  }
}

// PKGIMG_IMAGE_THREADS, or the name that the variable has elsewhere, or the number of processors.
static size_t thread_count(void)
{
  const char *text = getenv("PKGIMG_IMAGE_THREADS");
  text = text ? text : getenv("JULIA_IMAGE_THREADS");
  long wanted = text ? strtol(text, NULL, 10) : 0;
  if (wanted < 1)
    wanted = sysconf(_SC_NPROCESSORS_ONLN);
  return wanted < 1 ? 1 : wanted > CODEGEN_MAX_TARGETS ? CODEGEN_MAX_TARGETS : (size_t)wanted;
}

static enum pkgimg_status run_all_parts(struct part_work *work)
{
  pthread_t threads[CODEGEN_MAX_TARGETS];
  size_t wanted = thread_count(), started = 0;
  while (started + 1 < wanted && started + 1 < work->result->product_count &&
         pthread_create(&threads[started], NULL, run_parts, work) == 0)
    started++;
  run_parts(work);
  while (started > 0)
    pthread_join(threads[--started], NULL);
  return work->status;
}

static enum pkgimg_status run_many(const struct codegen_options *options, LLVMModuleRef module,
                                   struct codegen_result *result, struct pkgimg_error *error)
{
  LLVMTargetMachineRef machine AUTO(dispose_machine) = NULL;
  TRY(make_machine(options, module, target_of(options, 0), &machine, error));
  TRY(optimise(options, module, machine, error));
  TRY(decide_clones(options, module, result, error));
  split_prepare(module);
  LLVMMemoryBufferRef bitcode = LLVMWriteBitcodeToMemoryBuffer(module);
  struct part_work work = {.options = options,
                           .result = result,
                           .bitcode = {(const uint8_t *)LLVMGetBufferStart(bitcode), LLVMGetBufferSize(bitcode)},
                           .lock = PTHREAD_MUTEX_INITIALIZER,
                           .error = error};
  enum pkgimg_status status = run_all_parts(&work);
  LLVMDisposeMemoryBuffer(bitcode);
  return status;
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
  *result = (struct codegen_result){0};
}

static enum pkgimg_status result_init(const struct codegen_options *options, struct codegen_result *result,
                                      struct pkgimg_error *error)
{
  bool several = options->target_count > 1;
  if (several && options->product != CODEGEN_OBJECT)
    return fail(error, PKGIMG_INVALID_ARGUMENT, options->name, "only an image can hold code for several targets");
  if (options->target_count > CODEGEN_MAX_TARGETS)
    return fail(error, PKGIMG_INVALID_ARGUMENT, options->name, "%zu targets; %d are allowed",
                options->target_count, CODEGEN_MAX_TARGETS);
  *result = (struct codegen_result){.product_count = several ? options->target_count + 1 : 1};
  result->products = calloc(result->product_count, sizeof *result->products);
  return result->products ? PKGIMG_OK : fail_memory(error, result->product_count * sizeof *result->products);
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
  TRY(result_init(options, result, error));
  if (options->take_records)
    TRY(records_take(options, module, result, error));
  prepare_module(options, module);
  TRY(check_module(options, module, error));
  TRY((options->target_count > 1 ? run_many : run_one)(options, module, result, error));
  if (complaint.text[0])
    return refuse(options, "emitting code", complaint.text, error);
  return PKGIMG_OK;
}
