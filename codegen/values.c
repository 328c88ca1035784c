// SPDX-License-Identifier: MIT
#include "codegen/values.h"

#include <llvm-c/Core.h>
#include <string.h>

const char *name_of(LLVMValueRef value)
{
  size_t length;
  return LLVMGetValueName2(value, &length);
}

bool begins_with(const char *text, const char *start)
{
  return strncmp(text, start, strlen(start)) == 0;
}

bool is_local(LLVMValueRef value)
{
  LLVMLinkage linkage = LLVMGetLinkage(value);
  return linkage == LLVMInternalLinkage || linkage == LLVMPrivateLinkage;
}

bool is_direct_call(LLVMValueRef user, LLVMValueRef callee)
{
  return (LLVMIsACallInst(user) || LLVMIsAInvokeInst(user)) && LLVMGetCalledValue(user) == callee;
}

const char *callee_name(LLVMValueRef call)
{
  LLVMValueRef callee = LLVMGetCalledValue(call);
  return LLVMIsAFunction(callee) ? name_of(callee) : "";
}

bool has_attribute(LLVMValueRef function, const char *name)
{
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  return LLVMGetEnumAttributeAtIndex(function, LLVMAttributeFunctionIndex, kind) != NULL;
}

void add_attribute(LLVMValueRef function, const char *name)
{
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMContextRef context = LLVMGetModuleContext(LLVMGetGlobalParent(function));
  LLVMAddAttributeAtIndex(function, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(context, kind, 0));
}

bool has_string_attribute(LLVMValueRef function, const char *name)
{
  return LLVMGetStringAttributeAtIndex(function, LLVMAttributeFunctionIndex, name, (unsigned)strlen(name)) != NULL;
}

void add_string_attribute(LLVMValueRef function, const char *name, const char *value)
{
  LLVMContextRef context = LLVMGetModuleContext(LLVMGetGlobalParent(function));
  LLVMAddAttributeAtIndex(
      function, LLVMAttributeFunctionIndex,
      LLVMCreateStringAttribute(context, name, (unsigned)strlen(name), value, (unsigned)strlen(value)));
}
