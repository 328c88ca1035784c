// SPDX-License-Identifier: MIT
//
// Within a target's group, calls are direct. Every other reference to a cloned function, from
// outside or as a value, is to the plain name: a weak symbol, hence a dynamic relocation, which the
// loader points at the chosen body. So all pointers to a function compare equal.
#include "codegen/split.h"

#include "codegen/assembly.h"
#include "codegen/decide.h"
#include "codegen/values.h"

#include <llvm-c/Comdat.h>
#include <llvm-c/Core.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- names

static void share(LLVMValueRef value)
{
  // Its users may be in other parts only, so nobody may drop it for want of users in its own.
  if (LLVMGetLinkage(value) == LLVMLinkOnceODRLinkage)
    LLVMSetLinkage(value, LLVMWeakODRLinkage);
  if (LLVMGetLinkage(value) == LLVMLinkOnceAnyLinkage)
    LLVMSetLinkage(value, LLVMWeakAnyLinkage);
  if (!is_local(value) || begins_with(name_of(value), "llvm."))
    return;
  if (!*name_of(value))
    LLVMSetValueName2(value, "pkgimg.unnamed", strlen("pkgimg.unnamed"));
  LLVMSetLinkage(value, LLVMExternalLinkage);
  LLVMSetVisibility(value, LLVMHiddenVisibility);
}

void split_prepare(LLVMModuleRef module)
{
  for (LLVMValueRef a = LLVMGetFirstGlobalAlias(module); a; a = LLVMGetNextGlobalAlias(a))
    share(a);
  for (LLVMValueRef i = LLVMGetFirstGlobalIFunc(module); i; i = LLVMGetNextGlobalIFunc(i))
    share(i);
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
    // Members of one group may come to be in several objects, of which the linker would take one.
    LLVMSetComdat(f, NULL);
    share(f);
  }
  for (LLVMValueRef g = LLVMGetFirstGlobal(module); g; g = LLVMGetNextGlobal(g))
    share(g);
}

// ---- tables of addresses within a function (computed goto)

static LLVMValueRef addressed_function(LLVMValueRef constant)
{
  if (LLVMIsABlockAddress(constant))
    return LLVMGetOperand(constant, 0);
  if (!LLVMIsConstant(constant) || LLVMIsAGlobalValue(constant))
    return NULL;
  for (int i = 0; i < LLVMGetNumOperands(constant); i++) {
    LLVMValueRef function = addressed_function(LLVMGetOperand(constant, (unsigned)i));
    if (function)
      return function;
  }
  return NULL;
}

// The function whose labels a global holds; such a global goes where that function goes.
static LLVMValueRef owner_of(LLVMValueRef global)
{
  LLVMValueRef initializer = LLVMIsAGlobalVariable(global) ? LLVMGetInitializer(global) : NULL;
  return initializer ? addressed_function(initializer) : NULL;
}

// ---- functions

static void copy_attributes(LLVMValueRef to, LLVMValueRef from)
{
  for (unsigned i = 0; i <= LLVMCountParams(from) + 1; i++) {
    LLVMAttributeIndex index = i == 0 ? (LLVMAttributeIndex)LLVMAttributeFunctionIndex : i - 1;
    unsigned count = LLVMGetAttributeCountAtIndex(from, index);
    LLVMAttributeRef *attributes = calloc(count + 1, sizeof(LLVMAttributeRef));
    if (!attributes)
      continue;
    LLVMGetAttributesAtIndex(from, index, attributes);
    for (unsigned j = 0; j < count; j++)
      LLVMAddAttributeAtIndex(to, index, attributes[j]);
    free(attributes);
  }
}

// Once hidden, always local to the object for LLVM: what may be exchanged must never have been.
static LLVMValueRef declare_like(LLVMModuleRef module, LLVMValueRef function, const char *name, bool exchangeable)
{
  LLVMValueRef declaration = LLVMAddFunction(module, name, LLVMGlobalGetValueType(function));
  LLVMSetFunctionCallConv(declaration, LLVMGetFunctionCallConv(function));
  copy_attributes(declaration, function);
  if (exchangeable)
    add_attribute(declaration, "nonlazybind");
  else
    LLVMSetVisibility(declaration, LLVMGetVisibility(function));
  return declaration;
}

static void remove_body(LLVMModuleRef module, LLVMValueRef function, bool cloned)
{
  char *name = strdup(name_of(function));
  LLVMValueRef declaration = declare_like(module, function, "", cloned);
  LLVMReplaceAllUsesWith(function, declaration);
  LLVMDeleteFunction(function);
  if (name)
    LLVMSetValueName2(declaration, name, strlen(name));
  free(name);
}

// ---- a target's group

// In calls and invokes the callee is the last operand.
static void redirect_call(LLVMValueRef call, LLVMValueRef callee)
{
  LLVMSetOperand(call, (unsigned)LLVMGetNumOperands(call) - 1, callee);
}

static size_t list_users(LLVMValueRef value, LLVMValueRef **users)
{
  size_t count = 0;
  for (LLVMUseRef use = LLVMGetFirstUse(value); use; use = LLVMGetNextUse(use))
    count++;
  *users = calloc(count + 1, sizeof **users);
  size_t filled = 0;
  for (LLVMUseRef use = LLVMGetFirstUse(value); *users && use; use = LLVMGetNextUse(use))
    (*users)[filled++] = LLVMGetUser(use);
  return filled;
}

// The clone whose body a function is, by its name with or without the target.
static const struct codegen_clone *clone_of_body(const struct codegen_result *result, LLVMValueRef function)
{
  const struct codegen_clone *clone = find_clone(result, name_of(function));
  char *name = clone ? NULL : strdup(name_of(function));
  char *suffix = name ? strrchr(name, '.') : NULL;
  if (suffix && begins_with(suffix, ".target")) {
    *suffix = 0;
    clone = find_clone(result, name);
  }
  free(name);
  return clone;
}

// A body calls another of its own target directly, unless there may be a better one for a processor
// that the caller has none for.
static bool may_call_directly(const struct codegen_result *result, LLVMValueRef call, uint64_t bodies)
{
  LLVMValueRef caller = LLVMGetBasicBlockParent(LLVMGetInstructionParent(call));
  const struct codegen_clone *clone = clone_of_body(result, caller);
  return clone && (bodies & ~clone->bodies) == 0;
}

// Such calls stay with the body; every other use goes to the plain name.
static void separate_uses(const struct codegen_result *result, uint64_t bodies, LLVMValueRef body,
                          LLVMValueRef plain)
{
  LLVMValueRef *users;
  LLVMReplaceAllUsesWith(body, plain);
  size_t count = list_users(plain, &users);
  for (size_t i = 0; i < count; i++)
    if (is_direct_call(users[i], plain) && may_call_directly(result, users[i], bodies))
      redirect_call(users[i], body);
  free(users);
}

// The weak symbol that dispatch replaces, where the baseline's body is.
static LLVMValueRef define_plain_name(LLVMModuleRef module, LLVMValueRef body, const char *name)
{
  LLVMValueRef alias = LLVMAddAlias2(module, LLVMGlobalGetValueType(body), 0, body, name);
  LLVMSetLinkage(alias, LLVMWeakAnyLinkage);
  return alias;
}

// `here`: this part has the body; if not, it is a name that others in the part call.
static void make_body(LLVMModuleRef module, const struct codegen_result *result, LLVMValueRef function,
                      unsigned target, bool here)
{
  const struct codegen_clone *clone = find_clone(result, name_of(function));
  char *body_name = NULL, section[32];
  int length = asprintf(&body_name, "%s.target%u", clone->name, target);
  if (length < 0)
    return;  // the link will miss it, and say so
  snprintf(section, sizeof section, ".text.target%u", target);
  LLVMSetValueName2(function, body_name, (size_t)length);
  free(body_name);
  LLVMSetSection(function, section);
  LLVMSetComdat(function, NULL);
  LLVMSetLinkage(function, LLVMExternalLinkage);
  LLVMValueRef plain = declare_like(module, function, target == 0 && here ? "" : clone->name, true);
  LLVMSetVisibility(function, LLVMHiddenVisibility);
  separate_uses(result, clone->bodies, function, plain);
  if (target == 0 && here) {
    // An alias is one of its own aliasee's users, so it is made after the others are sorted out.
    LLVMReplaceAllUsesWith(plain, define_plain_name(module, function, clone->name));
    LLVMDeleteFunction(plain);
  }
}

// ---- data

static void delete_global(LLVMValueRef global)
{
  LLVMReplaceAllUsesWith(global, LLVMGetUndef(LLVMTypeOf(global)));
  LLVMDeleteGlobal(global);
}

// Constants may still be looked into, but for names that the assembly changes; they stand elsewhere.
static void declare_data(LLVMModuleRef module, LLVMValueRef global)
{
  LLVMSetComdat(global, NULL);
  bool strong = LLVMGetLinkage(global) == LLVMExternalLinkage;
  if (strong && LLVMIsGlobalConstant(global) && !LLVMIsThreadLocal(global) &&
      !is_in_assembly(module, LLVMGetInitializer(global))) {
    LLVMSetLinkage(global, LLVMAvailableExternallyLinkage);
    return;
  }
  LLVMSetInitializer(global, NULL);
  LLVMSetLinkage(global, LLVMExternalLinkage);
}

// Before bodies go: whether a table of labels goes with them is known only now.
static void split_data(LLVMModuleRef module, const struct codegen_result *result, const struct part *part)
{
  for (LLVMValueRef g = LLVMGetFirstGlobal(module), next; g; g = next) {
    next = LLVMGetNextGlobal(g);
    LLVMValueRef owner = owner_of(g);
    if (owner && in_part(result, owner, part))
      LLVMSetLinkage(g, LLVMInternalLinkage), LLVMSetVisibility(g, LLVMDefaultVisibility);
    else if (owner)
      delete_global(g);
    else if (!holds_data(part) && LLVMGetLinkage(g) == LLVMAppendingLinkage)
      LLVMDeleteGlobal(g);
    else if (!holds_data(part) && LLVMGetInitializer(g))
      declare_data(module, g);
  }
}

// A declaration of the same kind as what an alias, or an IFUNC, stands for.
static LLVMValueRef declare_kind(LLVMModuleRef module, LLVMValueRef value, LLVMValueRef like)
{
  LLVMTypeRef type = LLVMGlobalGetValueType(value);
  if (like && LLVMIsAFunction(like))
    return declare_like(module, like, "", false);
  if (LLVMGetTypeKind(type) == LLVMFunctionTypeKind)
    return LLVMAddFunction(module, "", type);
  LLVMValueRef declaration = LLVMAddGlobal(module, type, "");
  if (like && LLVMIsAGlobalVariable(like))
    LLVMSetThreadLocalMode(declaration, LLVMGetThreadLocalMode(like));
  return declaration;
}

// Declare what a name stands for that is defined in another part, in place of its definition here.
static void declare_instead(LLVMModuleRef module, LLVMValueRef value, LLVMValueRef like)
{
  char *name = strdup(name_of(value));
  LLVMValueRef declaration = declare_kind(module, value, like);
  LLVMSetVisibility(declaration, LLVMGetVisibility(value));
  LLVMReplaceAllUsesWith(value, declaration);
  LLVMSetValueName2(value, "", 0);
  if (name)
    LLVMSetValueName2(declaration, name, strlen(name));
  free(name);
}

// LLVM's C interface cannot delete an alias, so it becomes one of nothing, which the optimiser drops.
static void split_aliases(LLVMModuleRef module)
{
  LLVMTypeRef byte = LLVMInt8TypeInContext(LLVMGetModuleContext(module));
  LLVMValueRef first = LLVMGetFirstGlobalAlias(module);
  LLVMValueRef nothing = first ? LLVMAddGlobal(module, byte, "pkgimg.nothing") : NULL;
  if (!first)
    return;
  LLVMSetInitializer(nothing, LLVMConstNull(byte));
  LLVMSetLinkage(nothing, LLVMInternalLinkage);
  for (LLVMValueRef a = first; a; a = LLVMGetNextGlobalAlias(a)) {
    declare_instead(module, a, LLVMAliasGetAliasee(a));
    LLVMAliasSetAliasee(a, nothing);
    LLVMSetVisibility(a, LLVMDefaultVisibility);
    LLVMSetLinkage(a, LLVMInternalLinkage);
  }
}

static void split_ifuncs(LLVMModuleRef module)
{
  for (LLVMValueRef i = LLVMGetFirstGlobalIFunc(module), next; i; i = next) {
    next = LLVMGetNextGlobalIFunc(i);
    declare_instead(module, i, NULL);
    LLVMEraseGlobalIFunc(i);
  }
}

static void split_function(LLVMModuleRef module, const struct codegen_result *result, LLVMValueRef function,
                           const struct part *part)
{
  bool cloned = find_clone(result, name_of(function)), ours = in_group(result, function, part);
  bool here = in_part(result, function, part);
  if (cloned && ours)
    make_body(module, result, function, part->target, here);
  if (!here)
    remove_body(module, function, cloned && !ours);
}

void split_module(LLVMModuleRef module, const struct codegen_result *result, const struct part *part)
{
  split_data(module, result, part);
  if (!holds_data(part)) {
    LLVMSetModuleInlineAsm2(module, "", 0);
    split_aliases(module);
    split_ifuncs(module);
  }
  // The list of functions grows at its end while bodies are made, so remember the last old one.
  LLVMValueRef last = LLVMGetLastFunction(module);
  for (LLVMValueRef f = LLVMGetFirstFunction(module), next; f; f = next) {
    next = f == last ? NULL : LLVMGetNextFunction(f);
    if (!LLVMIsDeclaration(f))
      split_function(module, result, f, part);
  }
}
