// SPDX-License-Identifier: MIT
//
// A function may gain from a better processor if it has a loop that vectors could do, computes with
// vectors, with numbers whose operations the target fuses or that it can compute with at all, counts
// bits, or if it asks what the processor has. A small function that one of them calls, and that calls
// another, is cloned too, so that the calls stay within one target.
#include "codegen/decide.h"

#include "codegen/assembly.h"
#include "codegen/loops.h"
#include "codegen/values.h"

#include <llvm-c/Core.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum traits {
  HAS_LOOP = 1 << 0,
  HAS_VECTORS = 1 << 1,
  HAS_MATH = 1 << 2,
  HAS_HALF = 1 << 3,
  HAS_QUERY = 1 << 4,
  HAS_BITS = 1 << 5,
  IS_FORCED = 1 << 6,
  IS_FORBIDDEN = 1 << 7,
};

/// A function with a body, and what it calls.
struct node {
  LLVMValueRef function;
  unsigned traits;
  unsigned weight;  // instructions
  uint64_t bodies;
  uint32_t *callees;
  size_t callee_count, callee_capacity;
};

struct graph {
  struct node *nodes;  // sorted by function
  size_t count, capacity;
  struct pkgimg_error *error;
};

static void graph_deinit(struct graph *graph)
{
  for (size_t i = 0; i < graph->count; i++)
    free(graph->nodes[i].callees);
  free(graph->nodes);
}

// ---- finding things by address

static int by_function(const void *left, const void *right)
{
  uintptr_t a = (uintptr_t)((const struct node *)left)->function,
            b = (uintptr_t)((const struct node *)right)->function;
  return a < b ? -1 : a > b;
}

static struct node *node_of(const struct graph *graph, LLVMValueRef function)
{
  struct node key = {.function = function};
  return graph->count ? bsearch(&key, graph->nodes, graph->count, sizeof key, by_function) : NULL;
}

// ---- instructions

static unsigned traits_of_type(LLVMTypeRef type)
{
  switch (LLVMGetTypeKind(type)) {
  case LLVMVectorTypeKind:
  case LLVMScalableVectorTypeKind:
    return HAS_VECTORS | traits_of_type(LLVMGetElementType(type));
  case LLVMHalfTypeKind:
  case LLVMBFloatTypeKind:
    return HAS_HALF;
  default:
    return 0;
  }
}

// Vectors of more than 128 bits travel in other registers where wider ones exist, so a function that
// takes, returns or passes one has a calling convention for each target.
static bool is_wide(LLVMTypeRef type)
{
  if (LLVMGetTypeKind(type) != LLVMVectorTypeKind)
    return false;
  LLVMTypeRef element = LLVMGetElementType(type);
  unsigned bits = LLVMGetTypeKind(element) == LLVMIntegerTypeKind  ? LLVMGetIntTypeWidth(element)
                  : LLVMGetTypeKind(element) == LLVMFloatTypeKind  ? 32
                  : LLVMGetTypeKind(element) == LLVMHalfTypeKind   ? 16
                  : LLVMGetTypeKind(element) == LLVMBFloatTypeKind ? 16
                                                                   : 64;
  return LLVMGetVectorSize(type) * bits > 128;
}

static bool passes_wide(LLVMTypeRef function_type)
{
  unsigned count = LLVMCountParamTypes(function_type);
  LLVMTypeRef types[256];
  if (count > 256 || is_wide(LLVMGetReturnType(function_type)))
    return true;
  LLVMGetParamTypes(function_type, types);
  for (unsigned i = 0; i < count; i++)
    if (is_wide(types[i]))
      return true;
  return false;
}

static unsigned traits_of_call(LLVMValueRef call)
{
  const char *name = callee_name(call);
  if (begins_with(name, "llvm.fma") || begins_with(name, "llvm.fmuladd"))
    return HAS_MATH;
  if (begins_with(name, "llvm.ctpop") || begins_with(name, "llvm.ctlz") || begins_with(name, "llvm.cttz"))
    return HAS_BITS;
  if (!begins_with(name, "llvm.") && passes_wide(LLVMGetCalledFunctionType(call)))
    return IS_FORBIDDEN;
  return begins_with(name, "pkgimg.cpu_has.") ? HAS_QUERY : 0;
}

static unsigned traits_of_instruction(LLVMValueRef instruction)
{
  unsigned traits = traits_of_type(LLVMTypeOf(instruction));
  int operands = LLVMGetNumOperands(instruction);
  for (int i = 0; i < operands; i++)
    traits |= traits_of_type(LLVMTypeOf(LLVMGetOperand(instruction, (unsigned)i)));
  if (LLVMCanValueUseFastMathFlags(instruction) && LLVMGetFastMathFlags(instruction))
    traits |= HAS_MATH;
  bool calls = LLVMIsACallInst(instruction) || LLVMIsAInvokeInst(instruction);
  return calls ? traits | traits_of_call(instruction) : traits;
}

static enum pkgimg_status add_callee(struct graph *graph, struct node *node, LLVMValueRef instruction)
{
  if (!LLVMIsACallInst(instruction) && !LLVMIsAInvokeInst(instruction))
    return PKGIMG_OK;
  struct node *callee = node_of(graph, LLVMGetCalledValue(instruction));
  if (!callee)
    return PKGIMG_OK;
  TRY(array_reserve(&node->callees, &node->callee_capacity, node->callee_count, sizeof *node->callees,
                    graph->error));
  node->callees[node->callee_count++] = (uint32_t)(callee - graph->nodes);
  return PKGIMG_OK;
}

static enum pkgimg_status look_at(struct graph *graph, struct node *node)
{
  for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(node->function); b; b = LLVMGetNextBasicBlock(b))
    for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i)) {
      node->weight++;
      node->traits |= traits_of_instruction(i);
      TRY(add_callee(graph, node, i));
    }
  node->traits |= has_vector_loop(node->function) ? HAS_LOOP : 0;
  return PKGIMG_OK;
}

// ---- what the source says, and what cannot be cloned

// __attribute__((annotate("pkgimg.clone"))) becomes an entry { function, text, ... } of a global.
static void read_annotation(const struct graph *graph, LLVMValueRef entry)
{
  size_t length = 0;
  struct node *node = node_of(graph, LLVMGetOperand(entry, 0));
  LLVMValueRef text = LLVMGetOperand(entry, 1);
  LLVMValueRef string = LLVMIsAGlobalVariable(text) ? LLVMGetInitializer(text) : NULL;
  const char *bytes = string && LLVMIsConstantString(string) ? LLVMGetAsString(string, &length) : "";
  if (node && strcmp(bytes, "pkgimg.clone") == 0)
    node->traits |= IS_FORCED;
  if (node && strcmp(bytes, "pkgimg.no_clone") == 0)
    node->traits |= IS_FORBIDDEN;
}

static void read_annotations(const struct graph *graph, LLVMModuleRef module)
{
  LLVMValueRef global = LLVMGetNamedGlobal(module, "llvm.global.annotations");
  LLVMValueRef entries = global ? LLVMGetInitializer(global) : NULL;
  for (int i = 0; entries && i < LLVMGetNumOperands(entries); i++)
    read_annotation(graph, LLVMGetOperand(entries, (unsigned)i));
}

// Whether a constant counts with the distance to a function, which only a fixed address has.
static bool is_measured(LLVMValueRef function)
{
  for (LLVMUseRef use = LLVMGetFirstUse(function); use; use = LLVMGetNextUse(use)) {
    LLVMValueRef user = LLVMGetUser(use);
    if (LLVMIsAConstantExpr(user) && LLVMGetConstOpcode(user) == LLVMPtrToInt)
      return true;
  }
  return false;
}

static bool is_bound_by_source(LLVMValueRef function)
{
  const char *section = LLVMGetSection(function);
  return has_attribute(function, "naked") || has_string_attribute(function, "pkgimg.own-target") ||
         (section && *section) || passes_wide(LLVMGlobalGetValueType(function)) || is_measured(function);
}

// An alias and an IFUNC must stand beside what they name; code for a processor or a section of the
// author's own choosing stays as it is.
static void forbid(const struct graph *graph, LLVMModuleRef module)
{
  for (LLVMValueRef a = LLVMGetFirstGlobalAlias(module); a; a = LLVMGetNextGlobalAlias(a)) {
    struct node *node = node_of(graph, LLVMAliasGetAliasee(a));
    if (node)
      node->traits |= IS_FORBIDDEN;
  }
  for (LLVMValueRef f = LLVMGetFirstGlobalIFunc(module); f; f = LLVMGetNextGlobalIFunc(f)) {
    struct node *node = node_of(graph, LLVMGetGlobalIFuncResolver(f));
    if (node)
      node->traits |= IS_FORBIDDEN;
  }
  for (size_t i = 0; i < graph->count; i++) {
    LLVMValueRef function = graph->nodes[i].function;
    if (is_bound_by_source(function) || is_bound_to_assembly(module, function))
      graph->nodes[i].traits |= IS_FORBIDDEN;
  }
}

static enum pkgimg_status graph_init(struct graph *graph, LLVMModuleRef module)
{
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
    if (LLVMIsDeclaration(f) || LLVMGetLinkage(f) == LLVMAvailableExternallyLinkage)
      continue;
    TRY(array_reserve(&graph->nodes, &graph->capacity, graph->count, sizeof *graph->nodes, graph->error));
    graph->nodes[graph->count++] = (struct node){.function = f};
  }
  if (graph->count)
    qsort(graph->nodes, graph->count, sizeof *graph->nodes, by_function);
  for (size_t i = 0; i < graph->count; i++)
    TRY(look_at(graph, &graph->nodes[i]));
  read_annotations(graph, module);
  forbid(graph, module);
  return PKGIMG_OK;
}

// ---- deciding

static bool gains(const struct node *node, const struct codegen_target *target)
{
  unsigned useful = HAS_QUERY | IS_FORCED;
  useful |= target->adds_vectors ? HAS_VECTORS | HAS_LOOP : 0;
  useful |= target->adds_math ? HAS_MATH : 0;
  useful |= target->adds_half ? HAS_HALF : 0;
  useful |= target->adds_bits ? HAS_BITS : 0;
  return target->clone_all || node->traits & useful;
}

// What the detour over the table costs is lost in a larger function.
enum { SMALL = 100 };

static bool is_allowed(const struct node *node)
{
  return !(node->traits & IS_FORBIDDEN);
}

// Mark what functions that gain call, and what calls them.
static void mark_neighbours(const struct graph *graph, const uint8_t *gaining, uint8_t *called, uint8_t *calls)
{
  for (size_t i = 0; i < graph->count; i++)
    for (size_t j = 0; j < graph->nodes[i].callee_count; j++) {
      size_t callee = graph->nodes[i].callees[j];
      called[callee] |= gaining[i];
      calls[i] |= gaining[callee];
    }
}

static enum pkgimg_status decide_for(struct graph *graph, const struct codegen_target *target, unsigned index)
{
  uint8_t *gaining AUTO(free_pointer) = calloc(3 * graph->count + 1, 1);
  if (!gaining)
    return fail_memory(graph->error, 3 * graph->count);
  uint8_t *called = gaining + graph->count, *calls = called + graph->count;
  for (size_t i = 0; i < graph->count; i++)
    gaining[i] = is_allowed(&graph->nodes[i]) && gains(&graph->nodes[i], target);
  mark_neighbours(graph, gaining, called, calls);
  for (size_t i = 0; i < graph->count; i++) {
    bool between = called[i] && calls[i] && graph->nodes[i].weight <= SMALL && is_allowed(&graph->nodes[i]);
    if (gaining[i] || between)
      graph->nodes[i].bodies |= 1ull << index;
  }
  return PKGIMG_OK;
}

// Dispatch needs a dynamic symbol even for a function that nobody else may see. Its name then has dots
// in it, so that no C source can mean it, and the package's name, so that no other package does. (\01
// in front of a name keeps LLVM from decorating it; on ELF there is no decoration.)
static enum pkgimg_status name_clone(const struct codegen_options *options, LLVMValueRef function,
                                     struct pkgimg_error *error)
{
  const char *name = name_of(function);
  bool local = is_local(function) || LLVMGetVisibility(function) == LLVMHiddenVisibility;
  const char *plain = *name == 1 ? name + 1 : name;
  char *renamed AUTO(free_pointer) = NULL;
  if (!local && plain == name)
    return PKGIMG_OK;
  int size = local ? asprintf(&renamed, "%s.%s.static", *plain ? plain : "unnamed", options->name)
                   : asprintf(&renamed, "%s", plain);
  if (size < 0)
    return fail_memory(error, strlen(plain));
  LLVMSetValueName2(function, renamed, (size_t)size);
  return PKGIMG_OK;
}

static enum pkgimg_status add_clone(const struct codegen_options *options, struct codegen_result *result,
                                    const struct node *node, struct pkgimg_error *error)
{
  TRY(name_clone(options, node->function, error));
  TRY(array_reserve(&result->clones, &result->clone_capacity, result->clone_count, sizeof *result->clones, error));
  bool weak = LLVMGetLinkage(node->function) != LLVMExternalLinkage && !is_local(node->function);
  char *name = strdup(name_of(node->function));
  if (!name)
    return fail_memory(error, strlen(name_of(node->function)));
  result->clones[result->clone_count++] = (struct codegen_clone){name, node->bodies | 1, weak};
  return PKGIMG_OK;
}

static int by_name(const void *left, const void *right)
{
  return strcmp(((const struct codegen_clone *)left)->name, ((const struct codegen_clone *)right)->name);
}

enum pkgimg_status decide_clones(const struct codegen_options *options, LLVMModuleRef module,
                                 struct codegen_result *result, struct pkgimg_error *error)
{
  struct graph graph AUTO(graph_deinit) = {.error = error};
  TRY(graph_init(&graph, module));
  for (size_t t = 1; t < options->target_count; t++)
    TRY(decide_for(&graph, &options->targets[t], (unsigned)t));
  for (size_t i = 0; i < graph.count; i++)
    if (graph.nodes[i].bodies)
      TRY(add_clone(options, result, &graph.nodes[i], error));
  if (result->clone_count)
    qsort(result->clones, result->clone_count, sizeof *result->clones, by_name);
  return PKGIMG_OK;
}

const struct codegen_clone *find_clone(const struct codegen_result *result, const char *name)
{
  struct codegen_clone key = {.name = (char *)(uintptr_t)name};
  return result->clone_count ? bsearch(&key, result->clones, result->clone_count, sizeof key, by_name) : NULL;
}
