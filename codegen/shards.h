// SPDX-License-Identifier: MIT
//
// Which object each body goes to. The bodies of a target, and those of functions that have one, are a
// group; a group is divided into shards of about equal weight. Only the module decides how, so
// the same source makes the same image on every machine.
#ifndef CODEGEN_SHARDS_H
#define CODEGEN_SHARDS_H

#include "codegen/codegen.h"

/// The group of what is not cloned, and of all data.
#define PART_REST (~0u)

/// What one object holds: a shard of a group.
struct part {
  unsigned target;  ///< or PART_REST
  unsigned shard;
};

struct part_list {
  struct part *items;
  size_t count, capacity;
};
void part_list_deinit(struct part_list *parts);

/// Whether a module is large enough for several objects, whatever its targets.
bool shards_pay(LLVMModuleRef module);

/// Write down in every function to which shards its bodies go, and list all parts: those of the first
/// target first, those of the rest last.
PKGIMG_MUST_USE enum pkgimg_status shards_plan(const struct codegen_options *options, LLVMModuleRef module,
                                               const struct codegen_result *result, struct part_list *parts,
                                               struct pkgimg_error *error);

/// Whether a part's group has a body of a function, and whether the part itself has it.
bool in_group(const struct codegen_result *result, LLVMValueRef function, const struct part *part);
bool in_part(const struct codegen_result *result, LLVMValueRef function, const struct part *part);

/// Whether a part is the one with the data, the aliases and the file-level assembly.
bool holds_data(const struct part *part);

#endif
