// SPDX-License-Identifier: MIT
#include "codegen/target.h"

#include "codegen/values.h"

#include <llvm-c/Core.h>
#include <string.h>

// ---- what the source asks for

// What clang lists for every function of plain x86-64.
static bool is_plain_feature(const char *feature, size_t length)
{
  static const char *const plain[] = {"+cmov", "+cx8", "+fxsr", "+mmx", "+sse", "+sse2", "+x87"};
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    if (strlen(plain[i]) == length && strncmp(plain[i], feature, length) == 0)
      return true;
  return false;
}

static bool has_own_target(LLVMValueRef function)
{
  LLVMAttributeRef attribute = LLVMGetStringAttributeAtIndex(function, LLVMAttributeFunctionIndex,
                                                             "target-features", strlen("target-features"));
  unsigned size = 0;
  const char *text = attribute ? LLVMGetStringAttributeValue(attribute, &size) : "";
  for (const char *end = text + size; text < end;) {
    const char *comma = memchr(text, ',', (size_t)(end - text));
    size_t length = comma ? (size_t)(comma - text) : (size_t)(end - text);
    if (*text == '+' && !is_plain_feature(text, length))
      return true;
    text += length + 1;
  }
  return false;
}

void mark_own_targets(LLVMModuleRef module)
{
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
    if (!LLVMIsDeclaration(f) && has_own_target(f))
      add_string_attribute(f, "pkgimg.own-target", "");
}

// ---- what the module asks about

static bool target_has(const struct codegen_target *target, const char *feature)
{
  size_t length = strlen(feature);
  for (const char *at = target->features; (at = strstr(at, feature)); at += length)
    if (at > target->features && at[-1] == '+' && (at[length] == ',' || !at[length]))
      return true;
  return false;
}

static void define(LLVMValueRef function, LLVMValueRef result)
{
  LLVMContextRef context = LLVMGetModuleContext(LLVMGetGlobalParent(function));
  LLVMBuilderRef builder = LLVMCreateBuilderInContext(context);
  LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(context, function, ""));
  LLVMBuildRet(builder, result);
  LLVMDisposeBuilder(builder);
  LLVMSetLinkage(function, LLVMInternalLinkage);
  add_attribute(function, "nounwind");
}

// i1 @pkgimg.cpu_has.FEATURE(). A call becomes the answer; who invokes it, since it might throw, or takes its address,
// gets a function that returns it.
static void answer_query(LLVMValueRef query, const struct codegen_target *target)
{
  bool has = target_has(target, name_of(query) + strlen("pkgimg.cpu_has."));
  LLVMValueRef answer = LLVMConstInt(LLVMGetReturnType(LLVMGlobalGetValueType(query)), has, 0);
  for (LLVMUseRef use = LLVMGetFirstUse(query), next; use; use = next) {
    LLVMValueRef call = LLVMGetUser(use);
    next = LLVMGetNextUse(use);
    if (!LLVMIsACallInst(call) || !is_direct_call(call, query))
      continue;
    LLVMReplaceAllUsesWith(call, answer);
    LLVMInstructionEraseFromParent(call);
  }
  if (LLVMGetFirstUse(query))
    define(query, answer);
  else
    LLVMDeleteFunction(query);
}

// ---- what a function is compiled for

static void set_function_target(LLVMValueRef function, const struct codegen_target *target)
{
  add_string_attribute(function, "target-cpu", target->cpu);
  add_string_attribute(function, "target-features", target->features);
  LLVMRemoveStringAttributeAtIndex(function, LLVMAttributeFunctionIndex, "tune-cpu", strlen("tune-cpu"));
  // A level is no processor: LLVM tunes x86-64-v4 for the first that had AVX-512, with half its width.
  if (begins_with(target->cpu, "x86-64"))
    add_string_attribute(function, "tune-cpu", "generic");
  if (target->size || target->min_size)
    add_attribute(function, "optsize");
  if (target->min_size)
    add_attribute(function, "minsize");
}

void set_target(LLVMModuleRef module, const struct codegen_target *target)
{
  for (LLVMValueRef f = LLVMGetFirstFunction(module), next; f; f = next) {
    next = LLVMGetNextFunction(f);
    if (begins_with(name_of(f), "pkgimg.cpu_has.")) {
      answer_query(f, target);
      continue;
    }
    if (!LLVMIsDeclaration(f) && !has_string_attribute(f, "pkgimg.own-target"))
      set_function_target(f, target);
  }
}
