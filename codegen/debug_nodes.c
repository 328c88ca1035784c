// SPDX-License-Identifier: MIT
#include "codegen/debug_nodes.h"

#include "base/error.h"

#include <dwarf.h>
#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>
#include <string.h>

// Where LLVM 19 keeps what its C interface has no functions for.
enum {
  SCOPE_SCOPE = 1,
  SCOPE_NAME = 2,
  TYPE_TARGET = 3,
  TYPE_ELEMENTS = 4,
  TYPE_SIGNATURE = 3,
  SUBPROGRAM_TYPE = 4
};

static bool is_kind(LLVMMetadataRef node, LLVMMetadataKind kind)
{
  return node && LLVMGetMetadataKind(node) == kind;
}

static bool is_type(LLVMMetadataRef node)
{
  return is_kind(node, LLVMDIBasicTypeMetadataKind) || is_kind(node, LLVMDIDerivedTypeMetadataKind) ||
         is_kind(node, LLVMDICompositeTypeMetadataKind) || is_kind(node, LLVMDISubroutineTypeMetadataKind);
}

static unsigned operand_count(LLVMContextRef context, LLVMMetadataRef node)
{
  return node ? LLVMGetMDNodeNumOperands(LLVMMetadataAsValue(context, node)) : 0;
}

static LLVMMetadataRef operand(LLVMContextRef context, LLVMMetadataRef node, unsigned index)
{
  if (index >= operand_count(context, node))
    return NULL;
  LLVMValueRef value = LLVMGetOperand(LLVMMetadataAsValue(context, node), index);
  return value ? LLVMValueAsMetadata(value) : NULL;
}

static LLVMMetadataRef operand_list(LLVMContextRef context, LLVMMetadataRef node, unsigned index)
{
  LLVMMetadataRef list = operand(context, node, index);
  return is_kind(list, LLVMMDTupleMetadataKind) ? list : NULL;
}

static LLVMMetadataRef operand_type(LLVMContextRef context, LLVMMetadataRef node, unsigned index)
{
  LLVMMetadataRef type = operand(context, node, index);
  return is_type(type) ? type : NULL;
}

// ---- a type

static enum debug_class class_of_composite(unsigned tag)
{
  switch (tag) {
  case DW_TAG_structure_type:
  case DW_TAG_class_type:
    return DEBUG_STRUCT;
  case DW_TAG_union_type:
    return DEBUG_UNION;
  case DW_TAG_enumeration_type:
    return DEBUG_ENUM;
  case DW_TAG_array_type:
    return DEBUG_ARRAY;
  default:
    return DEBUG_OTHER;
  }
}

enum debug_class debug_class_of(LLVMMetadataRef type)
{
  if (!type)
    return DEBUG_VOID;
  unsigned tag = LLVMGetDINodeTag(type);
  if (is_kind(type, LLVMDIBasicTypeMetadataKind))
    return DEBUG_BASE;
  if (is_kind(type, LLVMDISubroutineTypeMetadataKind))
    return DEBUG_FUNCTION;
  if (is_kind(type, LLVMDICompositeTypeMetadataKind))
    return class_of_composite(tag);
  return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type || tag == DW_TAG_rvalue_reference_type
             ? DEBUG_POINTER
             : DEBUG_OTHER;
}

bool debug_is_declaration(LLVMMetadataRef type)
{
  return type && LLVMDITypeGetFlags(type) & LLVMDIFlagFwdDecl;
}

bool debug_is_vector(LLVMMetadataRef type)
{
  return type && LLVMDITypeGetFlags(type) & LLVMDIFlagVector;
}

const char *debug_name(LLVMMetadataRef type)
{
  size_t length = 0;
  const char *name = type ? LLVMDITypeGetName(type, &length) : NULL;
  return length ? name : NULL;
}

LLVMMetadataRef debug_scope(LLVMContextRef context, LLVMMetadataRef node)
{
  LLVMMetadataRef scope = operand(context, node, SCOPE_SCOPE);
  return is_kind(scope, LLVMDINamespaceMetadataKind) || is_kind(scope, LLVMDICompositeTypeMetadataKind) ? scope
                                                                                                        : NULL;
}

const char *debug_scope_name(LLVMContextRef context, LLVMMetadataRef scope, unsigned *length)
{
  static const char unnamed[] = "(anonymous namespace)";
  LLVMMetadataRef name = operand(context, scope, SCOPE_NAME);
  if (is_kind(name, LLVMMDStringMetadataKind))
    return LLVMGetMDString(LLVMMetadataAsValue(context, name), length);
  *length = sizeof unnamed - 1;
  return unnamed;
}

uint64_t debug_size(LLVMMetadataRef type)
{
  return type ? LLVMDITypeGetSizeInBits(type) / 8 : 0;
}

uint32_t debug_alignment(LLVMMetadataRef type)
{
  return type ? LLVMDITypeGetAlignInBits(type) / 8 : 0;
}

// The C interface does not tell it, the text of the node does: !DIBasicType(name: "int", size: 32, encoding:
// DW_ATE_signed). A name may hold anything, but stands before it.
enum debug_encoding debug_encoding_of(LLVMContextRef context, LLVMMetadataRef base)
{
  static const struct {
    const char *name;
    enum debug_encoding encoding;
  } known[] = {{"signed", DEBUG_SIGNED},    {"signed_char", DEBUG_SIGNED},   {"unsigned", DEBUG_UNSIGNED},
               {"boolean", DEBUG_UNSIGNED}, {"UTF", DEBUG_UNSIGNED},         {"unsigned_char", DEBUG_UNSIGNED},
               {"float", DEBUG_FLOAT},      {"complex_float", DEBUG_COMPLEX}};
  static const char key[] = "encoding: DW_ATE_";
  enum debug_encoding result = DEBUG_NO_NUMBER;
  char *text = LLVMPrintValueToString(LLVMMetadataAsValue(context, base)), *found = NULL;
  for (char *at = text; (at = strstr(at, key)); at += sizeof key - 1)
    found = at + sizeof key - 1;
  size_t length = found ? strcspn(found, ",)") : 0;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (length && strlen(known[i].name) == length && strncmp(known[i].name, found, length) == 0)
      result = known[i].encoding;
  LLVMDisposeMessage(text);
  return result;
}

LLVMMetadataRef debug_peel(LLVMContextRef context, LLVMMetadataRef type, LLVMMetadataRef *alias)
{
  while (is_kind(type, LLVMDIDerivedTypeMetadataKind)) {
    unsigned tag = LLVMGetDINodeTag(type);
    bool is_typedef = tag == DW_TAG_typedef || tag == DW_TAG_template_alias;
    if (!is_typedef && tag != DW_TAG_const_type && tag != DW_TAG_volatile_type && tag != DW_TAG_restrict_type &&
        tag != DW_TAG_atomic_type)
      break;
    if (is_typedef && alias)
      *alias = type;
    type = operand_type(context, type, TYPE_TARGET);
  }
  return type;
}

LLVMMetadataRef debug_target(LLVMContextRef context, LLVMMetadataRef type)
{
  return operand_type(context, type, TYPE_TARGET);
}

// ---- functions

// LLVM passes on a list that holds nothing but "no result" as an empty one, as that of a function without types
// is.
static bool is_procedure(LLVMValueRef function)
{
  LLVMTypeRef result = LLVMGetReturnType(LLVMGlobalGetValueType(function));
  return LLVMCountParams(function) == 0 && LLVMGetTypeKind(result) == LLVMVoidTypeKind;
}

LLVMMetadataRef debug_function_type(LLVMContextRef context, LLVMValueRef function)
{
  LLVMMetadataRef type = operand(context, LLVMGetSubprogram(function), SUBPROGRAM_TYPE);
  if (!is_kind(type, LLVMDISubroutineTypeMetadataKind))
    return NULL;
  LLVMMetadataRef list = operand_list(context, type, TYPE_SIGNATURE);
  return operand_count(context, list) || is_procedure(function) ? type : NULL;
}

unsigned debug_signature_count(LLVMContextRef context, LLVMMetadataRef type)
{
  LLVMMetadataRef list = operand_list(context, type, TYPE_SIGNATURE);
  unsigned count = operand_count(context, list);
  while (count > 1 && !operand(context, list, count - 1))
    count--;
  return count ? count : 1;
}

LLVMMetadataRef debug_signature(LLVMContextRef context, LLVMMetadataRef type, unsigned index)
{
  return operand_type(context, operand_list(context, type, TYPE_SIGNATURE), index);
}

// ---- members

enum { DEPTH = 32 };

static enum pkgimg_status each_member(LLVMContextRef context, LLVMMetadataRef type, uint64_t base, unsigned depth,
                                      debug_visit *visit, void *data);

static enum pkgimg_status visit_member(LLVMContextRef context, LLVMMetadataRef node, uint64_t base, unsigned depth,
                                       debug_visit *visit, void *data)
{
  LLVMMetadataRef type = operand_type(context, node, TYPE_TARGET), peeled = debug_peel(context, type, NULL);
  bool is_base = LLVMGetDINodeTag(node) == DW_TAG_inheritance;
  struct debug_member member = {.name = is_base ? "base" : debug_name(node),
                                .type = type,
                                .offset = LLVMDITypeGetOffsetInBits(node) / 8,
                                .alignment = debug_alignment(node)};
  uint64_t unit = debug_size(peeled);
  if (LLVMDITypeGetFlags(node) & LLVMDIFlagBitField && unit)
    member.offset -= member.offset % unit;
  member.offset += base;
  if (member.name)
    return visit(data, &member);
  enum debug_class class = debug_class_of(peeled);
  bool has_members = class == DEBUG_STRUCT || class == DEBUG_UNION;
  return has_members && depth < DEPTH ? each_member(context, peeled, member.offset, depth + 1, visit, data)
                                      : PKGIMG_OK;
}

static enum pkgimg_status each_member(LLVMContextRef context, LLVMMetadataRef type, uint64_t base, unsigned depth,
                                      debug_visit *visit, void *data)
{
  LLVMMetadataRef list = operand_list(context, type, TYPE_ELEMENTS);
  for (unsigned i = 0, count = operand_count(context, list); i < count; i++) {
    LLVMMetadataRef node = operand(context, list, i);
    if (!is_kind(node, LLVMDIDerivedTypeMetadataKind))
      continue;
    unsigned tag = LLVMGetDINodeTag(node), flags = LLVMDITypeGetFlags(node);
    bool is_ours = (tag == DW_TAG_member && !(flags & LLVMDIFlagStaticMember)) ||
                   (tag == DW_TAG_inheritance && !(flags & LLVMDIFlagVirtual));  // at no fixed place
    if (is_ours)
      TRY(visit_member(context, node, base, depth, visit, data));
  }
  return PKGIMG_OK;
}

LLVMMetadataRef debug_single_base(LLVMContextRef context, LLVMMetadataRef type)
{
  LLVMMetadataRef list = operand_list(context, type, TYPE_ELEMENTS), base = NULL;
  for (unsigned i = 0, count = operand_count(context, list); i < count; i++) {
    LLVMMetadataRef node = operand(context, list, i);
    if (!is_kind(node, LLVMDIDerivedTypeMetadataKind) || LLVMGetDINodeTag(node) != DW_TAG_inheritance)
      continue;
    if (base || LLVMDITypeGetFlags(node) & LLVMDIFlagVirtual || LLVMDITypeGetOffsetInBits(node))
      return NULL;
    base = node;
  }
  return debug_peel(context, operand_type(context, base, TYPE_TARGET), NULL);
}

enum pkgimg_status debug_each_member(LLVMContextRef context, LLVMMetadataRef type, debug_visit *visit, void *data)
{
  return each_member(context, type, 0, 0, visit, data);
}
