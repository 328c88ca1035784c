// SPDX-License-Identifier: MIT
//
// Shards are runs of the module's order, which is that of the sources: what calls each other mostly
// stands together there (docs/decisions.md has the numbers).
#include "codegen/shards.h"

#include "codegen/assembly.h"
#include "codegen/decide.h"
#include "codegen/values.h"

#include <llvm-c/Core.h>
#include <stdlib.h>
#include <string.h>

// Instructions of a shard: enough that parsing the module once more does not count. One letter of the
// alphabet stands for each shard.
enum {
  SHARD_WEIGHT = 80000,
  MAX_SHARDS = 26,
  GROUPS = CODEGEN_MAX_TARGETS + 1,
  GROUP_OF_REST = CODEGEN_MAX_TARGETS
};
static const char attribute_name[] = "pkgimg.shards";

struct group {
  uint64_t weight, placed;
  unsigned shards;
};

void part_list_deinit(struct part_list *parts)
{
  free(parts->items);
}

// ---- weights

static uint64_t weight_of(LLVMValueRef function)
{
  uint64_t weight = 0;
  for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(function); b; b = LLVMGetNextBasicBlock(b))
    for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i))
      weight++;
  return weight;
}

bool shards_pay(LLVMModuleRef module)
{
  uint64_t weight = 0;
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
    weight += weight_of(f);
  return weight > 4 * SHARD_WEIGHT;  // of which the optimiser leaves half
}

// ---- what may not go anywhere

static LLVMValueRef base_of(LLVMValueRef value)
{
  while (LLVMIsAConstantExpr(value))
    value = LLVMGetOperand(value, 0);
  return value;
}

// An alias and an IFUNC must stand beside what they name, which is where the data is.
static bool is_named_by_alias(LLVMModuleRef module, LLVMValueRef function)
{
  for (LLVMValueRef a = LLVMGetFirstGlobalAlias(module); a; a = LLVMGetNextGlobalAlias(a))
    if (base_of(LLVMAliasGetAliasee(a)) == function)
      return true;
  for (LLVMValueRef i = LLVMGetFirstGlobalIFunc(module); i; i = LLVMGetNextGlobalIFunc(i))
    if (base_of(LLVMGetGlobalIFuncResolver(i)) == function)
      return true;
  return false;
}

// ---- the plan

static uint64_t bodies_of(const struct codegen_result *result, LLVMValueRef function)
{
  const struct codegen_clone *clone = find_clone(result, name_of(function));
  return clone ? clone->bodies : 0;
}

static bool has_group(uint64_t bodies, unsigned group)
{
  return group == GROUP_OF_REST ? !bodies : bodies >> group & 1;
}

static void weigh(LLVMModuleRef module, const struct codegen_result *result, struct group *groups)
{
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
    uint64_t weight = weight_of(f), bodies = bodies_of(result, f);
    for (unsigned g = 0; weight && g < GROUPS; g++)
      groups[g].weight += has_group(bodies, g) ? weight : 0;
  }
  for (unsigned g = 0; g < GROUPS; g++) {
    uint64_t wanted = (groups[g].weight + SHARD_WEIGHT - 1) / SHARD_WEIGHT;
    groups[g].shards = wanted < 1 ? 1 : wanted > MAX_SHARDS ? MAX_SHARDS : (unsigned)wanted;
  }
}

// The middle of a body says where it is.
static unsigned next_shard(struct group *group, uint64_t weight)
{
  uint64_t middle = group->placed + weight / 2;
  group->placed += weight;
  return (unsigned)(middle * group->shards / group->weight);
}

static void place(LLVMModuleRef module, LLVMValueRef function, uint64_t bodies, struct group *groups)
{
  char letters[GROUPS];
  uint64_t weight = weight_of(function);
  memset(letters, 'a', sizeof letters);
  for (unsigned g = 0; g < GROUPS; g++)
    if (has_group(bodies, g))
      letters[g] = (char)('a' + next_shard(&groups[g], weight));
  if (is_named_by_alias(module, function) || is_bound_to_assembly(module, function))
    letters[GROUP_OF_REST] = 'a';
  LLVMAddAttributeAtIndex(function, LLVMAttributeFunctionIndex,
                          LLVMCreateStringAttribute(LLVMGetModuleContext(module), attribute_name,
                                                    sizeof attribute_name - 1, letters, sizeof letters));
}

static enum pkgimg_status add_parts(struct part_list *parts, unsigned target, const struct group *group,
                                    struct pkgimg_error *error)
{
  for (unsigned shard = 0; shard < group->shards; shard++) {
    TRY(array_reserve(&parts->items, &parts->capacity, parts->count, sizeof *parts->items, error));
    parts->items[parts->count++] = (struct part){target, shard};
  }
  return PKGIMG_OK;
}

enum pkgimg_status shards_plan(const struct codegen_options *options, LLVMModuleRef module,
                               const struct codegen_result *result, struct part_list *parts,
                               struct pkgimg_error *error)
{
  struct group groups[GROUPS] = {0};
  weigh(module, result, groups);
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
    if (!LLVMIsDeclaration(f))
      place(module, f, bodies_of(result, f), groups);
  for (unsigned t = 0; options->target_count > 1 && t < options->target_count; t++)
    TRY(add_parts(parts, t, &groups[t], error));
  return add_parts(parts, PART_REST, &groups[GROUP_OF_REST], error);
}

// ---- reading it

static unsigned group_of(const struct part *part)
{
  return part->target == PART_REST ? (unsigned)GROUP_OF_REST : part->target;
}

bool in_group(const struct codegen_result *result, LLVMValueRef function, const struct part *part)
{
  return has_group(bodies_of(result, function), group_of(part));
}

bool in_part(const struct codegen_result *result, LLVMValueRef function, const struct part *part)
{
  unsigned size = 0;
  LLVMAttributeRef attribute = LLVMGetStringAttributeAtIndex(function, LLVMAttributeFunctionIndex, attribute_name,
                                                             sizeof attribute_name - 1);
  const char *letters = attribute ? LLVMGetStringAttributeValue(attribute, &size) : NULL;
  unsigned shard = size == GROUPS ? (unsigned)(letters[group_of(part)] - 'a') : 0;
  return in_group(result, function, part) && shard == part->shard;
}

bool holds_data(const struct part *part)
{
  return part->target == PART_REST && part->shard == 0;
}
