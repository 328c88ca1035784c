// SPDX-License-Identifier: MIT
//
// LLVM's C interface tells nothing of loops, so: depth first along the control flow, an edge to a block
// that is on the way closes a loop; what reaches that edge's start without passing its end is the body.
#include "codegen/loops.h"

#include "base/array.h"
#include "codegen/values.h"

#include <llvm-c/Core.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum state { NEW, ON_THE_WAY, DONE };

struct edge {
  uint32_t from, to;
};

struct flow {
  LLVMBasicBlockRef *blocks;  // sorted
  size_t count;
  struct edge *edges, *closing;  // all, sorted by `to`; those that close a loop
  size_t edge_count, closing_count;
  uint8_t *state, *is_head, *in_loop;
  uint32_t *stack, *next;
};

static void flow_deinit(struct flow *flow)
{
  free(flow->blocks);
  free(flow->edges);
  free(flow->closing);
  free(flow->state);
  free(flow->is_head);
  free(flow->in_loop);
  free(flow->stack);
  free(flow->next);
}

// ---- the graph

static int by_address(const void *left, const void *right)
{
  uintptr_t a = *(const uintptr_t *)left, b = *(const uintptr_t *)right;
  return a < b ? -1 : a > b;
}

static int by_end(const void *left, const void *right)
{
  uint32_t a = ((const struct edge *)left)->to, b = ((const struct edge *)right)->to;
  return a < b ? -1 : a > b;
}

static uint32_t block_index(const struct flow *flow, LLVMBasicBlockRef block)
{
  LLVMBasicBlockRef *found = bsearch(&block, flow->blocks, flow->count, sizeof(LLVMBasicBlockRef), by_address);
  return (uint32_t)(found - flow->blocks);
}

static unsigned successors(LLVMBasicBlockRef block)
{
  LLVMValueRef end = LLVMGetBasicBlockTerminator(block);
  return end ? LLVMGetNumSuccessors(end) : 0;
}

static uint32_t successor(const struct flow *flow, uint32_t block, unsigned index)
{
  return block_index(flow, LLVMGetSuccessor(LLVMGetBasicBlockTerminator(flow->blocks[block]), index));
}

static bool flow_init(struct flow *flow, LLVMValueRef function)
{
  size_t edges = 0;
  flow->count = LLVMCountBasicBlocks(function);
  for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(function); b; b = LLVMGetNextBasicBlock(b))
    edges += successors(b);
  flow->blocks = calloc(flow->count, sizeof(LLVMBasicBlockRef));
  flow->edges = calloc(edges + 1, sizeof *flow->edges);
  flow->closing = calloc(edges + 1, sizeof *flow->closing);
  flow->state = calloc(flow->count, 1);
  flow->is_head = calloc(flow->count, 1);
  flow->in_loop = calloc(flow->count, 1);
  flow->stack = calloc(flow->count, sizeof *flow->stack);
  flow->next = calloc(flow->count, sizeof *flow->next);
  if (!flow->blocks || !flow->edges || !flow->closing || !flow->state || !flow->is_head || !flow->in_loop ||
      !flow->stack || !flow->next)
    return false;
  LLVMGetBasicBlocks(function, flow->blocks);
  qsort(flow->blocks, flow->count, sizeof(LLVMBasicBlockRef), by_address);
  return true;
}

// Depth first from a block; lists the edges, and those of them that close a loop.
static void follow(struct flow *flow, uint32_t start)
{
  size_t depth = 1;
  flow->stack[0] = start;
  flow->state[start] = ON_THE_WAY;
  while (depth > 0) {
    uint32_t at = flow->stack[depth - 1];
    if (flow->next[at] == successors(flow->blocks[at])) {
      flow->state[at] = DONE;
      depth--;
      continue;
    }
    uint32_t to = successor(flow, at, flow->next[at]++);
    flow->edges[flow->edge_count++] = (struct edge){at, to};
    if (flow->state[to] == ON_THE_WAY) {
      flow->closing[flow->closing_count++] = (struct edge){at, to};
      flow->is_head[to] = 1;
    } else if (flow->state[to] == NEW) {
      flow->state[to] = ON_THE_WAY;
      flow->stack[depth++] = to;
    }
  }
  qsort(flow->edges, flow->edge_count, sizeof *flow->edges, by_end);
}

static const struct edge *first_edge_to(const struct flow *flow, uint32_t block)
{
  size_t low = 0, high = flow->edge_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (flow->edges[middle].to < block)
      low = middle + 1;
    else
      high = middle;
  }
  return flow->edges + low;
}

// Mark the body of the loop that begins at `head`; false if it holds another.
static bool mark_loop(struct flow *flow, uint32_t head)
{
  size_t depth = 0;
  memset(flow->in_loop, 0, flow->count);
  flow->in_loop[head] = 1;
  for (size_t i = 0; i < flow->closing_count; i++) {
    uint32_t from = flow->closing[i].from;
    if (flow->closing[i].to == head && !flow->in_loop[from])
      flow->in_loop[from] = 1, flow->stack[depth++] = from;
  }
  while (depth > 0) {
    uint32_t at = flow->stack[--depth];
    if (flow->is_head[at])
      return false;
    for (const struct edge *e = first_edge_to(flow, at), *end = flow->edges + flow->edge_count;
         e < end && e->to == at; e++)
      if (!flow->in_loop[e->from])
        flow->in_loop[e->from] = 1, flow->stack[depth++] = e->from;
  }
  return true;
}

// ---- what is in a loop

static bool is_inside(const struct flow *flow, LLVMValueRef value)
{
  return LLVMIsAInstruction(value) && flow->in_loop[block_index(flow, LLVMGetInstructionParent(value))];
}

// A number or pointer that each round adds to.
static bool is_counter(const struct flow *flow, LLVMValueRef phi)
{
  for (unsigned i = 0; i < LLVMCountIncoming(phi); i++) {
    LLVMValueRef step = LLVMGetIncomingValue(phi, i);
    if (!is_inside(flow, step))
      continue;
    LLVMOpcode opcode = LLVMGetInstructionOpcode(step);
    bool adds = opcode == LLVMAdd || opcode == LLVMSub || opcode == LLVMGetElementPtr;
    if (!adds || (LLVMGetOperand(step, 0) != phi && LLVMGetOperand(step, 1) != phi))
      return false;
  }
  return true;
}

// Whether a value of a loop is made of a counter and constants only.
static bool counts(const struct flow *flow, LLVMValueRef value)
{
  for (int depth = 0; depth < 8 && is_inside(flow, value); depth++) {
    switch (LLVMGetInstructionOpcode(value)) {
    case LLVMPHI:
      return is_counter(flow, value);
    case LLVMAdd:
    case LLVMSub:
    case LLVMAnd:
    case LLVMShl:
    case LLVMTrunc:
    case LLVMZExt:
    case LLVMSExt:
    case LLVMGetElementPtr:
      value = LLVMGetOperand(value, 0);
      continue;
    default:
      return false;
    }
  }
  return false;
}

// The vectoriser must know how often, before the first round.
static bool leaves_by_count(const struct flow *flow, LLVMValueRef branch)
{
  LLVMValueRef test = LLVMIsConditional(branch) ? LLVMGetCondition(branch) : NULL;
  if (!test || !LLVMIsAICmpInst(test))
    return false;
  LLVMValueRef left = LLVMGetOperand(test, 0), right = LLVMGetOperand(test, 1);
  return (counts(flow, left) && !is_inside(flow, right)) || (counts(flow, right) && !is_inside(flow, left));
}

static bool fits(LLVMValueRef instruction, bool *works)
{
  switch (LLVMGetInstructionOpcode(instruction)) {
  case LLVMLoad:
  case LLVMStore:
    *works = true;
    return !LLVMGetVolatile(instruction) && LLVMGetOrdering(instruction) == LLVMAtomicOrderingNotAtomic;
  case LLVMCall: {
    const char *name = callee_name(instruction);
    return begins_with(name, "llvm.") && !begins_with(name, "llvm.mem");
  }
  case LLVMInvoke:
  case LLVMFence:
  case LLVMAtomicRMW:
  case LLVMAtomicCmpXchg:
    return false;
  default:
    return true;
  }
}

static bool block_fits(const struct flow *flow, uint32_t block, unsigned *phis, bool *works)
{
  for (LLVMValueRef i = LLVMGetFirstInstruction(flow->blocks[block]); i; i = LLVMGetNextInstruction(i)) {
    *phis += flow->is_head[block] && LLVMIsAPHINode(i);
    if (!fits(i, works))
      return false;
  }
  return true;
}

static unsigned exits_of(const struct flow *flow, uint32_t block)
{
  unsigned exits = 0;
  for (unsigned i = 0; i < successors(flow->blocks[block]); i++)
    exits += !flow->in_loop[successor(flow, block, i)];
  return exits;
}

static bool loop_gains(struct flow *flow, uint32_t head)
{
  unsigned exits = 0, phis = 0;
  bool works = false;
  if (!mark_loop(flow, head))
    return false;
  for (uint32_t b = 0; b < flow->count; b++) {
    if (!flow->in_loop[b])
      continue;
    LLVMValueRef end = LLVMGetBasicBlockTerminator(flow->blocks[b]);
    unsigned here = exits_of(flow, b);
    exits += here;
    if (!LLVMIsABranchInst(end) || exits > 1 || (here && !leaves_by_count(flow, end)) ||
        !block_fits(flow, b, &phis, &works))
      return false;
  }
  return exits == 1 && (works || phis > 1);
}

// Without memory to find out, assume one: it only costs size.
bool has_vector_loop(LLVMValueRef function)
{
  struct flow flow AUTO(flow_deinit) = {0};
  if (!flow_init(&flow, function))
    return true;
  follow(&flow, block_index(&flow, LLVMGetEntryBasicBlock(function)));
  for (uint32_t b = 0; b < flow.count; b++)
    if (flow.is_head[b] && loop_gains(&flow, b))
      return true;
  return false;
}
