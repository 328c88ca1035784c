// SPDX-License-Identifier: MIT
#include "codegen/parts.h"

#include "codegen/compile.h"
#include "codegen/decide.h"
#include "codegen/prepare.h"
#include "codegen/shards.h"
#include "codegen/split.h"
#include "codegen/target.h"

#include <llvm-c/BitWriter.h>
#include <llvm-c/Core.h>
#include <pthread.h>
#include <stdlib.h>

const struct codegen_target *target_of(const struct codegen_options *options, size_t index)
{
  static const struct codegen_target generic = {.cpu = "x86-64", .features = "", .clone_all = true};
  return options->target_count ? &options->targets[index] : &generic;
}

struct work {
  const struct codegen_options *options;
  struct codegen_result *result;
  struct span bitcode;         // of the simplified module
  LLVMMemoryBufferRef buffer;  // where it is
  struct part_list parts;
  pthread_mutex_t lock;
  size_t next;
  enum pkgimg_status status;
  struct pkgimg_error *error;
};

static enum pkgimg_status run_part(const struct work *work, size_t index, struct pkgimg_error *error)
{
  const struct codegen_options *options = work->options;
  const struct part *part = &work->parts.items[index];
  const struct codegen_target *target = target_of(options, part->target == PART_REST ? 0 : part->target);
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
  TRY(optimise_second_half(options, module, machine, error));
  if (holds_data(part))
    place_constructors(module);
  TRY(emit(options, module, machine, &work->result->products[index], error));
  return complaint.text[0] ? refuse(options, "emitting code", complaint.text, error) : PKGIMG_OK;
}

static void *work_on_parts(void *argument)
{
  struct work *work = argument;
  for (;;) {
    pthread_mutex_lock(&work->lock);
    size_t index = work->next++;
    bool done = index >= work->parts.count || work->status != PKGIMG_OK;
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

static enum pkgimg_status run_all(struct work *work)
{
  size_t wanted = work->options->threads < work->parts.count ? work->options->threads : work->parts.count;
  size_t started = 0;
  pthread_t *threads AUTO(free_pointer) = calloc(wanted + 1, sizeof *threads);
  while (threads && started + 1 < wanted && pthread_create(&threads[started], NULL, work_on_parts, work) == 0)
    started++;
  work_on_parts(work);
  while (started > 0)
    pthread_join(threads[--started], NULL);
  return work->status;
}

static void dispose_work(struct work *work)
{
  part_list_deinit(&work->parts);
  if (work->buffer)
    LLVMDisposeMemoryBuffer(work->buffer);
}

enum pkgimg_status run_parts(const struct codegen_options *options, LLVMModuleRef module,
                             struct codegen_result *result, struct pkgimg_error *error)
{
  LLVMTargetMachineRef machine AUTO(dispose_machine) = NULL;
  struct work work AUTO(dispose_work) = {
      .options = options, .result = result, .lock = PTHREAD_MUTEX_INITIALIZER, .error = error};
  TRY(make_machine(options, module, target_of(options, 0), &machine, error));
  TRY(optimise_first_half(options, module, machine, error));
  TRY(decide_clones(options, module, result, error));
  TRY(shards_plan(options, module, result, &work.parts, error));
  TRY(result_allocate(result, work.parts.count, error));
  split_prepare(module);
  work.buffer = LLVMWriteBitcodeToMemoryBuffer(module);
  work.bitcode = (struct span){(const uint8_t *)LLVMGetBufferStart(work.buffer), LLVMGetBufferSize(work.buffer)};
  return run_all(&work);
}
