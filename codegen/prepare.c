// SPDX-License-Identifier: MIT
#include "codegen/prepare.h"

#include "codegen/target.h"
#include "codegen/values.h"

#include <fnmatch.h>
#include <llvm-c/Comdat.h>
#include <llvm-c/Core.h>
#include <stdio.h>
#include <string.h>

// ---- visibility: what no export glob names becomes the image's own affair

static bool is_kept(const struct codegen_options *options, const char *name)
{
  for (size_t i = 0; i < options->keep_count; i++)
    if (strcmp(options->keep[i], name) == 0)
      return true;
  return false;
}

static bool is_exported(const struct codegen_options *options, const char *name)
{
  if (options->export_count == 0 || is_kept(options, name))
    return true;
  for (size_t i = 0; i < options->export_count; i++)
    if (fnmatch(options->exports[i], name, 0) == 0)
      return true;
  return false;
}

static bool is_visible_definition(LLVMValueRef value)
{
  LLVMLinkage linkage = LLVMGetLinkage(value);
  if (LLVMIsDeclaration(value) || LLVMGetVisibility(value) == LLVMHiddenVisibility)
    return false;
  return !is_local(value) && linkage != LLVMAppendingLinkage && linkage != LLVMAvailableExternallyLinkage;
}

bool is_exported_function(const struct codegen_options *options, LLVMValueRef function)
{
  LLVMLinkage linkage = LLVMGetLinkage(function);
  return linkage != LLVMLinkOnceAnyLinkage && linkage != LLVMLinkOnceODRLinkage &&
         is_visible_definition(function) && is_exported(options, name_of(function));
}

// A static function or variable that something outside of the code names stays, and stays the image's own affair.
static void keep_static(const struct codegen_options *options, LLVMValueRef value, const char *name)
{
  if (LLVMGetLinkage(value) != LLVMInternalLinkage || !is_kept(options, name))
    return;
  LLVMSetLinkage(value, LLVMExternalLinkage);
  LLVMSetVisibility(value, LLVMHiddenVisibility);
}

static void hide_unless_exported(const struct codegen_options *options, LLVMValueRef value)
{
  const char *name = name_of(value);
  keep_static(options, value, name);
  if (!is_visible_definition(value) || begins_with(name, "llvm.") || is_exported(options, name))
    return;
  // A member of a COMDAT group keeps its linkage, or the group would lose its meaning.
  bool grouped = !LLVMIsAGlobalAlias(value) && !LLVMIsAGlobalIFunc(value) && LLVMGetComdat(value);
  if (grouped || LLVMIsAGlobalIFunc(value))
    LLVMSetVisibility(value, LLVMHiddenVisibility);
  else
    LLVMSetLinkage(value, LLVMInternalLinkage);
}

static void hide_others(const struct codegen_options *options, LLVMModuleRef module)
{
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
    hide_unless_exported(options, f);
  for (LLVMValueRef g = LLVMGetFirstGlobal(module); g; g = LLVMGetNextGlobal(g))
    hide_unless_exported(options, g);
  for (LLVMValueRef a = LLVMGetFirstGlobalAlias(module); a; a = LLVMGetNextGlobalAlias(a))
    hide_unless_exported(options, a);
  for (LLVMValueRef i = LLVMGetFirstGlobalIFunc(module); i; i = LLVMGetNextGlobalIFunc(i))
    hide_unless_exported(options, i);
}

// ---- attributes

// Call what is not ours through its word in the global offset table: a load resolves everything at
// once, so a lazy entry in between would only cost.
static void call_through_table(LLVMModuleRef module)
{
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
    if (LLVMIsDeclaration(f) && !LLVMGetIntrinsicID(f))
      add_attribute(f, "nonlazybind");
}

static void keep_apart(LLVMModuleRef module)
{
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
    if (!LLVMIsDeclaration(f) && !has_attribute(f, "alwaysinline"))
      add_attribute(f, "noinline");
}

static void set_flag(LLVMModuleRef module, const char *name, unsigned value)
{
  LLVMContextRef context = LLVMGetModuleContext(module);
  LLVMValueRef constant = LLVMConstInt(LLVMInt32TypeInContext(context), value, 0);
  if (!LLVMGetModuleFlag(module, name, strlen(name)))
    LLVMAddModuleFlag(module, LLVMModuleFlagBehaviorOverride, name, strlen(name), LLVMValueAsMetadata(constant));
}

// ---- bounds checks

static LLVMValueRef answer(const struct codegen_options *options, LLVMValueRef call)
{
  if (options->check_bounds == CODEGEN_CHECK_AUTO)
    return LLVMGetOperand(call, 0);
  return LLVMConstInt(LLVMTypeOf(call), options->check_bounds == CODEGEN_CHECK_YES, 0);
}

static void fold_check_query(const struct codegen_options *options, LLVMModuleRef module)
{
  LLVMValueRef query = LLVMGetNamedFunction(module, "pkgimg.check_bounds");
  if (!query || LLVMCountParams(query) != 1)
    return;
  for (LLVMUseRef use = LLVMGetFirstUse(query), next; use; use = next) {
    LLVMValueRef call = LLVMGetUser(use);
    next = LLVMGetNextUse(use);
    if (!LLVMIsACallInst(call) || LLVMGetCalledValue(call) != query)
      continue;
    LLVMReplaceAllUsesWith(call, answer(options, call));
    LLVMInstructionEraseFromParent(call);
  }
  if (!LLVMGetFirstUse(query))
    LLVMDeleteFunction(query);
}

// Whether an instruction is what clang's -fsanitize=bounds traps with: handler 18, "out of bounds"
// (clang, CodeGenFunction.h, LIST_SANITIZER_CHECKS).
static bool is_bounds_trap(LLVMValueRef instruction, LLVMValueRef trap)
{
  enum { OUT_OF_BOUNDS = 18 };
  return LLVMIsACallInst(instruction) && LLVMGetCalledValue(instruction) == trap &&
         LLVMConstIntGetZExtValue(LLVMGetOperand(instruction, 0)) == OUT_OF_BOUNDS;
}

// Without the trap, its block is unreachable, and the check in front of it folds away.
static void remove_bounds_traps(LLVMModuleRef module)
{
  LLVMValueRef trap = LLVMGetNamedFunction(module, "llvm.ubsantrap");
  if (!trap)
    return;
  for (LLVMUseRef use = LLVMGetFirstUse(trap), next; use; use = next) {
    LLVMValueRef call = LLVMGetUser(use);
    next = LLVMGetNextUse(use);
    if (is_bounds_trap(call, trap))
      LLVMInstructionEraseFromParent(call);
  }
}

// ---- constructors and destructors

// One entry { priority, function, key } becomes a pointer in a section of its own priority.
static void place_entry(LLVMModuleRef module, LLVMValueRef entry, const char *array)
{
  enum { DEFAULT_PRIORITY = 65535 };
  LLVMValueRef function = LLVMGetOperand(entry, 1);
  unsigned long long priority = LLVMConstIntGetZExtValue(LLVMGetOperand(entry, 0));
  char section[32];
  if (LLVMIsNull(function))
    return;
  if (priority == DEFAULT_PRIORITY)
    snprintf(section, sizeof section, ".%s", array);
  else
    snprintf(section, sizeof section, ".%s.%05llu", array, priority);
  LLVMValueRef slot = LLVMAddGlobal(module, LLVMTypeOf(function), array);
  LLVMSetInitializer(slot, function);
  LLVMSetLinkage(slot, LLVMInternalLinkage);
  LLVMSetSection(slot, section);
  LLVMSetAlignment(slot, 8);
}

static void place_list(LLVMModuleRef module, const char *list, const char *array)
{
  LLVMValueRef global = LLVMGetNamedGlobal(module, list);
  LLVMValueRef entries = global ? LLVMGetInitializer(global) : NULL;
  for (int i = 0; entries && i < LLVMGetNumOperands(entries); i++)
    place_entry(module, LLVMGetOperand(entries, (unsigned)i), array);
  if (global)
    LLVMDeleteGlobal(global);
}

// A target machine made through LLVM's C interface would use the older .ctors and .dtors, which no
// loader runs any more.
void place_constructors(LLVMModuleRef module)
{
  place_list(module, "llvm.global_ctors", "init_array");
  place_list(module, "llvm.global_dtors", "fini_array");
}

// What crtbeginS.o defines: a word that holds its own address. C++ passes the address to
// __cxa_atexit, libc's own static part (atexit, pthread_atfork) passes what the word holds; both are
// the image's name (Itanium C++ ABI, 3.3.5).
static void define_handle(LLVMModuleRef module)
{
  static const char name[] = "__dso_handle";
  LLVMValueRef old = LLVMGetNamedGlobal(module, name);
  LLVMTypeRef pointer = LLVMPointerTypeInContext(LLVMGetModuleContext(module), 0);
  LLVMValueRef handle = LLVMAddGlobal(module, pointer, "");
  if (old) {
    LLVMReplaceAllUsesWith(old, handle);
    LLVMDeleteGlobal(old);
  }
  LLVMSetValueName2(handle, name, sizeof name - 1);
  LLVMSetInitializer(handle, handle);
  LLVMSetGlobalConstant(handle, 1);
  LLVMSetVisibility(handle, LLVMHiddenVisibility);
}

void prepare_module(const struct codegen_options *options, LLVMModuleRef module)
{
  LLVMSetModuleIdentifier(module, options->name, strlen(options->name));
  LLVMSetSourceFileName(module, options->name, strlen(options->name));
  set_flag(module, "PIC Level", 2);
  set_flag(module, "RtLibUseGOT", 1);
  mark_own_targets(module);
  fold_check_query(options, module);
  if (options->check_bounds == CODEGEN_CHECK_NO)
    remove_bounds_traps(module);
  if (!options->inline_functions)
    keep_apart(module);
  hide_others(options, module);
  call_through_table(module);
  define_handle(module);
}
