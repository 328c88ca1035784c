// SPDX-License-Identifier: MIT
//
// The types of a module's debug information that some functions reach, each once, in the order in which they are
// found.
#ifndef CODEGEN_DEBUG_LIST_H
#define CODEGEN_DEBUG_LIST_H

#include "base/array.h"
#include "codegen/debug_nodes.h"

struct debug_entry {
  LLVMMetadataRef node;  ///< peeled
  const char *name;
  const char *owner, *member;               ///< where a type without a name was found
  uint32_t alignment;                       ///< 0: not known yet
  const struct pkgimg_type_record *record;  ///< for the list's user
};

struct debug_list {
  LLVMContextRef context;
  struct string_list *strings;  ///< takes names that are made here
  struct debug_entry *entries;
  size_t count, capacity;
  size_t *places;  ///< open addressing by node: 1 + entry
  size_t place_count;
  struct pkgimg_error *error;
};
void debug_list_deinit(struct debug_list *list);

/// Add a function type's result and arguments; then, to the end of the list, what its types refer to.
PKGIMG_MUST_USE enum pkgimg_status debug_list_signature(struct debug_list *list, LLVMMetadataRef type);
PKGIMG_MUST_USE enum pkgimg_status debug_list_complete(struct debug_list *list);

/// The entry of a type, peeled or not; NULL: none.
struct debug_entry *debug_list_find(const struct debug_list *list, LLVMMetadataRef type);
/// From 1; worked out from members, since sources rarely state it. The list is complete.
uint32_t debug_list_align(const struct debug_list *list, struct debug_entry *entry);

#endif
