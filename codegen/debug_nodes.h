// SPDX-License-Identifier: MIT
//
// A module's debug information: what DWARF is written from. Of a node nothing is believed but its kind; what is
// not where it should be is none.
#ifndef CODEGEN_DEBUG_NODES_H
#define CODEGEN_DEBUG_NODES_H

#include <llvm-c/Types.h>
#include <pkgimg/error.h>
#include <stdbool.h>

enum debug_class {
  DEBUG_VOID,  ///< no node
  DEBUG_BASE,
  DEBUG_ENUM,
  DEBUG_STRUCT,
  DEBUG_UNION,
  DEBUG_POINTER,
  DEBUG_ARRAY,
  DEBUG_FUNCTION,
  DEBUG_OTHER
};
enum debug_class debug_class_of(LLVMMetadataRef type);
bool debug_is_declaration(LLVMMetadataRef type);
bool debug_is_vector(LLVMMetadataRef type);

/// NULL: it has none.
const char *debug_name(LLVMMetadataRef type);
/// The namespace or class that a type or a namespace is declared in; NULL: none.
LLVMMetadataRef debug_scope(LLVMContextRef context, LLVMMetadataRef node);
const char *debug_scope_name(LLVMContextRef context, LLVMMetadataRef scope, unsigned *length);
uint64_t debug_size(LLVMMetadataRef type);
/// What its source asks for; 0: nothing.
uint32_t debug_alignment(LLVMMetadataRef type);
enum debug_encoding { DEBUG_SIGNED, DEBUG_UNSIGNED, DEBUG_FLOAT, DEBUG_COMPLEX, DEBUG_NO_NUMBER };
enum debug_encoding debug_encoding_of(LLVMContextRef context, LLVMMetadataRef base);

/// The type without typedefs and qualifiers. `alias`: the innermost typedef; may be NULL.
LLVMMetadataRef debug_peel(LLVMContextRef context, LLVMMetadataRef type, LLVMMetadataRef *alias);
/// What a pointer points to, an array's elements, or what an enumeration is stored as; not peeled.
LLVMMetadataRef debug_target(LLVMContextRef context, LLVMMetadataRef type);

/// The type of a function, NULL if it is not known; and the result (0) and the arguments of one. What is not named
/// (`...`) is no argument.
LLVMMetadataRef debug_function_type(LLVMContextRef context, LLVMValueRef function);
unsigned debug_signature_count(LLVMContextRef context, LLVMMetadataRef type);
LLVMMetadataRef debug_signature(LLVMContextRef context, LLVMMetadataRef type, unsigned index);

struct debug_member {
  const char *name;
  LLVMMetadataRef type;  ///< not peeled
  uint64_t offset;       ///< of a bit field: that of the first unit of its type which it is in
  uint32_t alignment;    ///< what the member asks for; 0: nothing
};
typedef enum pkgimg_status debug_visit(void *data, const struct debug_member *member);

/// The class that one is derived from, NULL if there is none, more than one, or one that does not lie at its
/// beginning.
LLVMMetadataRef debug_single_base(LLVMContextRef context, LLVMMetadataRef type);

/// Visit members, bases, and the members of those without a name, until a visit fails.
PKGIMG_MUST_USE enum pkgimg_status debug_each_member(LLVMContextRef context, LLVMMetadataRef type,
                                                     debug_visit *visit, void *data);

#endif
