// SPDX-License-Identifier: MIT
//
// Ids of types: hashes of their content, equal wherever the content is equal. docs/types.md has the rules.
//
// Types may refer to one another in rings, so no order exists in which the ids of all that a type mentions are
// known before its own. Three steps:
//
//   1. Which types are the same? Colour each by what it holds itself, then again and again by the colours of what
//      it refers to, until no colour splits any more (partition refinement): equal colours are equal types.
//   2. Groups of types that reach one another (strongly connected components; Tarjan 1972), those referred to
//   first.
//   3. In a group colours separate all members, this time without regard to anything outside but ids; they give
//      an order. The hash of the whole group written down in this order, with a member's place in it, is its id.
#include "base/hash.h"
#include "serializer/model.h"

#include <stdlib.h>
#include <string.h>

struct coloured {
  uint64_t colour;
  uint32_t type;
};

struct identity {
  struct model *model;
  struct buffer text;  // of the type in hand
  uint64_t *colours, *next;
  struct coloured *order;
  // Tarjan's
  uint32_t *visit, *low, *cursor, *path, *stack, *group_of;
  uint32_t visits, path_size, stack_size, groups;
  bool *on_stack;
};

static enum pkgimg_status append(struct identity *identity, const void *bytes, size_t size)
{
  return buffer_append(&identity->text, bytes, size, identity->model->error);
}

// What a type holds itself, without what it refers to.
static enum pkgimg_status write_content(struct identity *identity, const struct model_type *type)
{
  const uint64_t numbers[] = {type->kind, type->size, type->align, type->field_count, type->parameter_count};
  TRY(append(identity, numbers, sizeof numbers));
  TRY(append(identity, type->name, strlen(type->name) + 1));
  for (uint32_t i = 0; i < type->field_count; i++) {
    TRY(append(identity, type->fields[i].name, strlen(type->fields[i].name) + 1));
    TRY(append(identity, &type->fields[i].offset, 8));
  }
  for (uint32_t i = 0; i < type->parameter_count; i++)
    TRY(append(identity, &type->parameters[i].value, 8));
  return PKGIMG_OK;
}

static int by_colour(const void *left, const void *right)
{
  const struct coloured *a = left, *b = right;
  if (a->colour != b->colour)
    return a->colour < b->colour ? -1 : 1;
  return a->type < b->type ? -1 : a->type > b->type;
}

// Sort `count` of identity->order by the colours of their types; returns how many colours there are.
static uint32_t sort_colours(const struct identity *identity, uint32_t count)
{
  uint32_t different = 0;
  for (uint32_t i = 0; i < count; i++)
    identity->order[i].colour = identity->colours[identity->order[i].type];
  qsort(identity->order, count, sizeof *identity->order, by_colour);
  for (uint32_t i = 0; i < count; i++)
    different += i == 0 || identity->order[i].colour != identity->order[i - 1].colour;
  return different;
}

// ---- 1: which are the same

static uint64_t same(const struct model *model, uint32_t type)
{
  return model->types[type].same;
}

static enum pkgimg_status recolour_all(struct identity *identity)
{
  const struct model *model = identity->model;
  for (uint32_t i = 0; i < model->type_count; i++) {
    const struct model_type *type = &model->types[i];
    identity->text.size = 0;
    TRY(append(identity, &identity->colours[i], 8));
    for (uint32_t k = 0; k < model_reference_count(type); k++) {
      uint32_t to = model_reference(type, k);
      TRY(append(identity, to == MODEL_NONE ? &(uint64_t){0} : &identity->colours[to], 8));
    }
    identity->next[i] = hash64(identity->text.data, identity->text.size);
  }
  memcpy(identity->colours, identity->next, model->type_count * sizeof *identity->colours);
  return PKGIMG_OK;
}

static enum pkgimg_status find_same(struct identity *identity)
{
  struct model *model = identity->model;
  uint32_t count = model->type_count, before = 0;
  for (uint32_t i = 0; i < count; i++) {
    identity->text.size = 0;
    TRY(write_content(identity, &model->types[i]));
    identity->colours[i] = hash64(identity->text.data, identity->text.size);
    identity->order[i].type = i;
  }
  for (uint32_t now; (now = sort_colours(identity, count)) != before; before = now)
    TRY(recolour_all(identity));
  for (uint32_t i = 0; i < count; i++) {
    bool first = i == 0 || identity->order[i].colour != identity->order[i - 1].colour;
    uint32_t type = identity->order[i].type;
    model->types[type].same = first ? type : model->types[identity->order[i - 1].type].same;
  }
  return PKGIMG_OK;
}

// ---- 3: the ids of a group, which is `count` members from identity->stack on

static enum pkgimg_status write_reference(struct identity *identity, uint32_t group, uint32_t to)
{
  const struct model *model = identity->model;
  if (to == MODEL_NONE)
    return append(identity, "N", 1);
  to = model->types[to].same;
  if (identity->group_of[to] != group) {
    TRY(append(identity, "T", 1));
    return append(identity, model->types[to].id, 16);
  }
  TRY(append(identity, "G", 1));
  return append(identity, &identity->colours[to], 8);
}

static enum pkgimg_status write_type(struct identity *identity, uint32_t group, const struct model_type *type)
{
  TRY(write_content(identity, type));
  for (uint32_t k = 0; k < model_reference_count(type); k++)
    TRY(write_reference(identity, group, model_reference(type, k)));
  return PKGIMG_OK;
}

static enum pkgimg_status recolour_group(struct identity *identity, uint32_t group, const uint32_t *members,
                                         uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    identity->text.size = 0;
    TRY(write_type(identity, group, &identity->model->types[members[i]]));
    identity->next[members[i]] = hash64(identity->text.data, identity->text.size);
  }
  for (uint32_t i = 0; i < count; i++)
    identity->colours[members[i]] = identity->next[members[i]];
  return PKGIMG_OK;
}

// Members all differ, or step 1 had found them the same; a round that separates none of the rest cannot happen
// before they are separated, save for equal hashes of different texts.
static enum pkgimg_status order_group(struct identity *identity, uint32_t group, const uint32_t *members,
                                      uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    identity->colours[members[i]] = 0;
    identity->order[i].type = members[i];
  }
  for (uint32_t round = 0; round <= count; round++) {
    TRY(recolour_group(identity, group, members, count));
    if (sort_colours(identity, count) == count)
      return PKGIMG_OK;
  }
  return fail_name(identity->model->error, PKGIMG_UNSUPPORTED, identity->model->package,
                   identity->model->types[members[0]].name, "types that refer to one another have equal hashes");
}

static enum pkgimg_status hash_group(struct identity *identity, uint32_t group, uint32_t count, uint8_t result[16])
{
  struct hash128 *hash = hash128_create();
  enum pkgimg_status status = hash ? PKGIMG_OK : fail_memory(identity->model->error, 512);
  for (uint32_t i = 0; i < count; i++)  // references inside of the group are written as places
    identity->colours[identity->order[i].type] = i;
  for (uint32_t i = 0; i < count && status == PKGIMG_OK; i++) {
    identity->text.size = 0;
    status = write_type(identity, group, &identity->model->types[identity->order[i].type]);
    hash128_add(hash, identity->text.data, identity->text.size);
  }
  if (status == PKGIMG_OK)
    hash128_result(hash, result);
  hash128_destroy(hash);
  return status;
}

static enum pkgimg_status name_group(struct identity *identity, uint32_t group, const uint32_t *members,
                                     uint32_t count)
{
  uint8_t whole[16];
  TRY(order_group(identity, group, members, count));
  TRY(hash_group(identity, group, count, whole));
  for (uint64_t i = 0; i < count; i++) {
    struct hash128 *hash = hash128_create();
    if (!hash)
      return fail_memory(identity->model->error, 512);
    hash128_add(hash, whole, sizeof whole);
    hash128_add(hash, &i, sizeof i);
    hash128_result(hash, identity->model->types[identity->order[i].type].id);
    hash128_destroy(hash);
  }
  return PKGIMG_OK;
}

// ---- 2: groups

static void enter(struct identity *identity, uint32_t type)
{
  identity->visit[type] = identity->low[type] = ++identity->visits;
  identity->path[identity->path_size++] = type;
  identity->stack[identity->stack_size++] = type;
  identity->on_stack[type] = true;
}

// All that `type` reaches has been visited: if nothing of it reaches further up, it heads a group.
static enum pkgimg_status leave(struct identity *identity, uint32_t type)
{
  uint32_t above = --identity->path_size;
  if (above && identity->low[type] < identity->low[identity->path[above - 1]])
    identity->low[identity->path[above - 1]] = identity->low[type];
  if (identity->low[type] != identity->visit[type])
    return PKGIMG_OK;
  uint32_t group = ++identity->groups, end = identity->stack_size, member;
  do {
    member = identity->stack[--identity->stack_size];
    identity->on_stack[member] = false;
    identity->group_of[member] = group;
  } while (member != type);
  return name_group(identity, group, identity->stack + identity->stack_size, end - identity->stack_size);
}

static enum pkgimg_status visit_from(struct identity *identity, uint32_t root)
{
  const struct model *model = identity->model;
  enter(identity, root);
  while (identity->path_size) {
    uint32_t type = identity->path[identity->path_size - 1];
    if (identity->cursor[type] == model_reference_count(&model->types[type])) {
      TRY(leave(identity, type));
      continue;
    }
    uint32_t to = model_reference(&model->types[type], identity->cursor[type]++);
    to = to == MODEL_NONE ? MODEL_NONE : model->types[to].same;
    if (to != MODEL_NONE && identity->visit[to] == 0)
      enter(identity, to);
    else if (to != MODEL_NONE && identity->on_stack[to] && identity->visit[to] < identity->low[type])
      identity->low[type] = identity->visit[to];
  }
  return PKGIMG_OK;
}

static enum pkgimg_status identify(struct identity *identity)
{
  struct model *model = identity->model;
  TRY(find_same(identity));
  for (uint32_t i = 0; i < model->type_count; i++)
    if (same(model, i) == i && identity->visit[i] == 0)
      TRY(visit_from(identity, i));
  for (uint32_t i = 0; i < model->type_count; i++)
    if (same(model, i) != i)
      memcpy(model->types[i].id, model->types[same(model, i)].id, 16);
  return PKGIMG_OK;
}

enum pkgimg_status model_identify(struct model *model)
{
  size_t count = model->type_count + (size_t)1;
  uint64_t *wide AUTO(free_pointer) = calloc(2 * count, sizeof *wide);
  uint32_t *narrow AUTO(free_pointer) = calloc(6 * count, sizeof *narrow);
  struct coloured *order AUTO(free_pointer) = calloc(count, sizeof *order);
  bool *on_stack AUTO(free_pointer) = calloc(count, sizeof *on_stack);
  if (!wide || !narrow || !order || !on_stack)
    return fail_memory(model->error, count * sizeof *order);
  struct identity identity = {.model = model,
                              .colours = wide,
                              .next = wide + count,
                              .order = order,
                              .visit = narrow,
                              .low = narrow + count,
                              .cursor = narrow + 2 * count,
                              .path = narrow + 3 * count,
                              .stack = narrow + 4 * count,
                              .group_of = narrow + 5 * count,
                              .on_stack = on_stack};
  enum pkgimg_status status = identify(&identity);
  buffer_deinit(&identity.text);
  return status;
}
