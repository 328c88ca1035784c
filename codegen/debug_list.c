// SPDX-License-Identifier: MIT
#include "codegen/debug_list.h"

#include "base/hash.h"

#include <stdlib.h>

void debug_list_deinit(struct debug_list *list)
{
  free(list->entries);
  free(list->places);
}

// The place of a node that is peeled.
static size_t *place_of(const struct debug_list *list, LLVMMetadataRef node)
{
  uintptr_t key = (uintptr_t)node;
  size_t at = (size_t)hash64(&key, sizeof key) & (list->place_count - 1);
  while (list->places[at] && list->entries[list->places[at] - 1].node != node)
    at = (at + 1) & (list->place_count - 1);
  return &list->places[at];
}

static enum pkgimg_status grow_places(struct debug_list *list)
{
  if (2 * (list->count + 1) <= list->place_count)
    return PKGIMG_OK;
  size_t count = list->place_count ? 2 * list->place_count : 256;
  size_t *places = calloc(count, sizeof *places);
  if (!places)
    return fail_memory(list->error, count * sizeof *places);
  free(list->places);
  list->places = places;
  list->place_count = count;
  for (size_t i = 0; i < list->count; i++)
    *place_of(list, list->entries[i].node) = i + 1;
  return PKGIMG_OK;
}

struct debug_entry *debug_list_find(const struct debug_list *list, LLVMMetadataRef type)
{
  size_t place = *place_of(list, debug_peel(list->context, type, NULL));
  return place ? &list->entries[place - 1] : NULL;
}

static enum pkgimg_status make_name(const struct debug_list *list, struct debug_entry *entry)
{
  struct string_list *strings = list->strings;
  if (!entry->owner || !entry->member) {
    entry->name = entry->member ? entry->member : "unnamed";
    return PKGIMG_OK;
  }
  TRY(string_list_add(strings, list->error, "%s.%s", entry->owner, entry->member));
  entry->name = strings->items[strings->count - 1];
  return PKGIMG_OK;
}

// In C++, where a name is declared is a part of it: `one::circle`, `circle::part`. In C, the only scope is the
// file.
static enum pkgimg_status qualify(const struct debug_list *list, LLVMMetadataRef node, const char *name,
                                  const char **qualified)
{
  enum { DEPTH = 64 };
  LLVMMetadataRef scope = debug_scope(list->context, node);
  *qualified = name;
  for (unsigned depth = 0; name && scope && depth < DEPTH; depth++) {
    unsigned length;
    const char *outer = debug_scope_name(list->context, scope, &length);
    TRY(string_list_add(list->strings, list->error, "%.*s::%s", (int)length, outer, *qualified));
    *qualified = list->strings->items[list->strings->count - 1];
    scope = debug_scope(list->context, scope);
  }
  return PKGIMG_OK;
}

static enum pkgimg_status name_entry(const struct debug_list *list, struct debug_entry *entry)
{
  static const char *const names[] = {[DEBUG_VOID] = "void",
                                      [DEBUG_POINTER] = "Pointer",
                                      [DEBUG_ARRAY] = "Array",
                                      [DEBUG_FUNCTION] = "Function",
                                      [DEBUG_OTHER] = NULL};
  entry->name = names[debug_class_of(entry->node)];
  if (!entry->name)
    TRY(qualify(list, entry->node, debug_name(entry->node), &entry->name));
  return entry->name ? PKGIMG_OK : make_name(list, entry);
}

static enum pkgimg_status reach(struct debug_list *list, LLVMMetadataRef type, const char *owner,
                                const char *member)
{
  LLVMMetadataRef alias = NULL;
  const char *alias_name;
  LLVMMetadataRef node = debug_peel(list->context, type, &alias);
  TRY(grow_places(list));
  size_t *place = place_of(list, node);
  if (*place)
    return PKGIMG_OK;
  TRY(array_reserve(&list->entries, &list->capacity, list->count, sizeof *list->entries, list->error));
  TRY(qualify(list, alias, alias ? debug_name(alias) : NULL, &alias_name));
  struct debug_entry *entry = &list->entries[list->count];
  *entry = (struct debug_entry){
      .node = node, .owner = alias_name ? NULL : owner, .member = alias_name ? alias_name : member};
  *place = ++list->count;
  return name_entry(list, entry);
}

struct owner {
  struct debug_list *list;
  const char *name;
};

static enum pkgimg_status reach_member(void *data, const struct debug_member *member)
{
  const struct owner *owner = data;
  return reach(owner->list, member->type, owner->name, member->name);
}

enum pkgimg_status debug_list_signature(struct debug_list *list, LLVMMetadataRef type)
{
  unsigned count = debug_signature_count(list->context, type);
  for (unsigned i = 0; i < count; i++)
    TRY(reach(list, debug_signature(list->context, type, i), NULL, NULL));
  return PKGIMG_OK;
}

// What a type refers to; the list grows meanwhile.
static enum pkgimg_status reach_from(struct debug_list *list, struct debug_entry entry)
{
  struct owner owner = {list, entry.name};
  switch (debug_class_of(entry.node)) {
  case DEBUG_POINTER:
  case DEBUG_ARRAY:
    return reach(list, debug_target(list->context, entry.node), entry.owner, entry.member);
  case DEBUG_FUNCTION:
    return debug_list_signature(list, entry.node);
  case DEBUG_STRUCT:
  case DEBUG_UNION:
    return debug_each_member(list->context, entry.node, reach_member, &owner);
  default:
    return PKGIMG_OK;
  }
}

enum pkgimg_status debug_list_complete(struct debug_list *list)
{
  for (size_t i = 0; i < list->count; i++)
    TRY(reach_from(list, list->entries[i]));
  return PKGIMG_OK;
}

// ---- alignment, which the sources rarely state

static uint32_t align_of(const struct debug_list *list, struct debug_entry *entry, unsigned depth);

struct alignment {
  const struct debug_list *list;
  uint32_t most;
  unsigned depth;
};

// A member of a packed struct is where its type's alignment would not put it.
static enum pkgimg_status align_member(void *data, const struct debug_member *member)
{
  struct alignment *alignment = data;
  struct debug_entry *entry = debug_list_find(alignment->list, member->type);
  uint32_t align = member->alignment;
  if (!align && entry)
    align = align_of(alignment->list, entry, alignment->depth + 1);
  while (align > 1 && member->offset % align)
    align /= 2;
  alignment->most = align > alignment->most ? align : alignment->most;
  return PKGIMG_OK;
}

static uint32_t align_of_size(uint64_t size)
{
  return size && size <= 16 && (size & (size - 1)) == 0 ? (uint32_t)size : 8;
}

static uint32_t find_alignment(const struct debug_list *list, const struct debug_entry *entry, unsigned depth)
{
  enum { DEPTH = 64 };
  uint64_t size = debug_size(entry->node);
  struct alignment alignment = {list, 1, depth};
  struct debug_entry *target;
  switch (debug_class_of(entry->node)) {
  case DEBUG_BASE:
    return align_of_size(debug_encoding_of(list->context, entry->node) == DEBUG_COMPLEX ? size / 2 : size);
  case DEBUG_ARRAY:
    target = debug_list_find(list, debug_target(list->context, entry->node));
    if (debug_is_vector(entry->node) && size && (size & (size - 1)) == 0 && size <= UINT16_MAX)
      return (uint32_t)size;
    return target && depth < DEPTH ? align_of(list, target, depth + 1) : 1;
  case DEBUG_STRUCT:
  case DEBUG_UNION:
    if (depth == DEPTH || debug_each_member(list->context, entry->node, align_member, &alignment) != PKGIMG_OK)
      return 1;
    while (alignment.most > 1 && size % alignment.most)
      alignment.most /= 2;
    return alignment.most;
  case DEBUG_VOID:
  case DEBUG_FUNCTION:
    return 1;
  default:
    return align_of_size(size);
  }
}

static uint32_t align_of(const struct debug_list *list, struct debug_entry *entry, unsigned depth)
{
  uint32_t asked = debug_alignment(entry->node);
  if (entry->alignment)
    return entry->alignment;
  entry->alignment = 1;  // a ring, which no compiler makes, ends here
  bool is_good = asked && (asked & (asked - 1)) == 0;
  return entry->alignment = is_good ? asked : find_alignment(list, entry, depth);
}

uint32_t debug_list_align(const struct debug_list *list, struct debug_entry *entry)
{
  return align_of(list, entry, 0);
}
