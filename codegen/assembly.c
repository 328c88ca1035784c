// SPDX-License-Identifier: MIT
#include "codegen/assembly.h"

#include <ctype.h>
#include <llvm-c/Core.h>
#include <string.h>

static bool is_in_name(char c)
{
  return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

// As a word: `nftw` is in `.symver old, nftw@GLIBC_2.2.5`, and `ftw` is not.
static bool has_word(const char *text, size_t size, const char *word, size_t length)
{
  const char *end = text + size;
  for (const char *at = text; length && (at = memmem(at, (size_t)(end - at), word, length)); at++)
    if ((at == text || !is_in_name(at[-1])) && (at + length == end || !is_in_name(at[length])))
      return true;
  return false;
}

static bool names(LLVMModuleRef module, LLVMValueRef value)
{
  size_t size, length;
  const char *text = LLVMGetModuleInlineAsm(module, &size);
  const char *name = LLVMGetValueName2(value, &length);
  // \01 in front of a name is for LLVM only.
  bool marked = length > 0 && *name == 1;
  return size > 0 && has_word(text, size, name + marked, length - marked);
}

bool is_in_assembly(LLVMModuleRef module, LLVMValueRef constant)
{
  if (LLVMIsAGlobalValue(constant))
    return names(module, constant);
  for (int i = 0; LLVMIsAConstant(constant) && i < LLVMGetNumOperands(constant); i++)
    if (is_in_assembly(module, LLVMGetOperand(constant, (unsigned)i)))
      return true;
  return false;
}

static bool uses_its_names(LLVMModuleRef module, LLVMValueRef instruction)
{
  for (int i = 0; i < LLVMGetNumOperands(instruction); i++) {
    LLVMValueRef operand = LLVMGetOperand(instruction, (unsigned)i);
    if (LLVMIsAConstant(operand) && is_in_assembly(module, operand))
      return true;
  }
  return false;
}

bool is_bound_to_assembly(LLVMModuleRef module, LLVMValueRef function)
{
  size_t size;
  LLVMGetModuleInlineAsm(module, &size);
  if (size == 0)
    return false;
  for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(function); b; b = LLVMGetNextBasicBlock(b))
    for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i))
      if (uses_its_names(module, i))
        return true;
  return names(module, function);
}
