// SPDX-License-Identifier: MIT
//
// Two passes, because records refer to one another by address: all types are listed, each once, and then written.
#include "codegen/debug_types.h"

#include "codegen/debug_list.h"
#include "codegen/prepare.h"
#include "codegen/values.h"

#include <llvm-c/Core.h>
#include <stdlib.h>
#include <string.h>

struct named {
  const char *name;
  size_t index;  // the earlier comes first
  const void *what;
};

struct names {
  struct named *items;
  size_t count, capacity;
};

struct method {
  LLVMValueRef function;
  LLVMMetadataRef type;
};

struct walk {
  const struct codegen_options *options;
  struct codegen_records *records;
  struct debug_list list;
  struct method *methods;
  size_t method_count, method_capacity;
  struct names stated_types, stated_functions, definitions;
  struct pkgimg_error *error;
};

static void walk_deinit(struct walk *walk)
{
  debug_list_deinit(&walk->list);
  free(walk->methods);
  free(walk->stated_types.items);
  free(walk->stated_functions.items);
  free(walk->definitions.items);
}

// ---- things by name

static enum pkgimg_status add_name(struct names *names, const char *name, const void *what,
                                   struct pkgimg_error *error)
{
  TRY(array_reserve(&names->items, &names->capacity, names->count, sizeof *names->items, error));
  names->items[names->count] = (struct named){name, names->count, what};
  names->count++;
  return PKGIMG_OK;
}

static int by_name(const void *left, const void *right)
{
  const struct named *a = left, *b = right;
  int order = strcmp(a->name, b->name);
  return order ? order : a->index < b->index ? -1 : a->index > b->index;
}

static void sort_names(struct names *names)
{
  if (names->count)
    qsort(names->items, names->count, sizeof *names->items, by_name);
}

// The first of this name; NULL: none.
static const void *find_name(const struct names *names, const char *name)
{
  size_t low = 0, high = names->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(names->items[middle].name, name) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low < names->count && strcmp(names->items[low].name, name) == 0 ? names->items[low].what : NULL;
}

static enum pkgimg_status list_stated(struct walk *walk, const struct pkgimg_type_record *types, size_t type_count,
                                      const struct pkgimg_method_record *methods, size_t method_count)
{
  for (size_t i = 0; i < type_count; i++)
    if (types[i].name && types[i].parameter_count == 0)
      TRY(add_name(&walk->stated_types, types[i].name, &types[i], walk->error));
  for (size_t i = 0; i < method_count; i++)
    if (methods[i].function)
      TRY(add_name(&walk->stated_functions, methods[i].function, &methods[i], walk->error));
  sort_names(&walk->stated_types);
  sort_names(&walk->stated_functions);
  return PKGIMG_OK;
}

// ---- functions

// A function with arguments that nobody named cannot be called as the others are.
static enum pkgimg_status list_functions(struct walk *walk, LLVMModuleRef module)
{
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
    LLVMMetadataRef type =
        is_exported_function(walk->options, f) ? debug_function_type(walk->list.context, f) : NULL;
    if (!type || LLVMIsFunctionVarArg(LLVMGlobalGetValueType(f)))
      continue;
    TRY(debug_list_signature(&walk->list, type));
    TRY(array_reserve(&walk->methods, &walk->method_capacity, walk->method_count, sizeof *walk->methods,
                      walk->error));
    walk->methods[walk->method_count++] = (struct method){f, type};
  }
  return debug_list_complete(&walk->list);
}

// ---- which record is whose

static bool has_own_name(LLVMMetadataRef node)
{
  enum debug_class class = debug_class_of(node);
  return class == DEBUG_BASE || class == DEBUG_ENUM || class == DEBUG_STRUCT || class == DEBUG_UNION;
}

static enum pkgimg_status list_definitions(struct walk *walk)
{
  for (size_t i = 0; i < walk->list.count; i++) {
    const struct debug_entry *entry = &walk->list.entries[i];
    enum debug_class class = debug_class_of(entry->node);
    if ((class == DEBUG_STRUCT || class == DEBUG_UNION) && !debug_is_declaration(entry->node))
      TRY(add_name(&walk->definitions, entry->name, entry, walk->error));
  }
  sort_names(&walk->definitions);
  return PKGIMG_OK;
}

static const struct debug_entry *definition_of(const struct walk *walk, const struct debug_entry *entry)
{
  return debug_is_declaration(entry->node) ? find_name(&walk->definitions, entry->name) : NULL;
}

// A stated record; or that of a definition, for what is only declared here; or one of its own.
static enum pkgimg_status choose_records(struct walk *walk)
{
  struct codegen_records *records = walk->records;
  records->types = calloc(walk->list.count + 1, sizeof *records->types);
  if (!records->types)
    return fail_memory(walk->error, walk->list.count * sizeof *records->types);
  for (size_t i = 0; i < walk->list.count; i++) {
    struct debug_entry *entry = &walk->list.entries[i];
    if (has_own_name(entry->node))
      entry->record = find_name(&walk->stated_types, entry->name);
    if (!entry->record && !definition_of(walk, entry))
      entry->record = &records->types[records->type_count++];
  }
  for (size_t i = 0; i < walk->list.count; i++)
    if (!walk->list.entries[i].record)
      walk->list.entries[i].record = definition_of(walk, &walk->list.entries[i])->record;
  return PKGIMG_OK;
}

static bool is_own(const struct walk *walk, const struct debug_entry *entry)
{
  return !definition_of(walk, entry) && entry->record >= walk->records->types &&
         entry->record < walk->records->types + walk->records->type_count;
}

static const struct pkgimg_type_record *record_of(const struct walk *walk, LLVMMetadataRef type)
{
  const struct debug_entry *entry = debug_list_find(&walk->list, type);
  return entry ? entry->record : NULL;
}

// ---- records of types

static enum pkgimg_type_kind kind_of(const struct walk *walk, const struct debug_entry *entry)
{
  static const enum pkgimg_type_kind kinds[] = {
      [DEBUG_VOID] = PKGIMG_KIND_ABSTRACT, [DEBUG_STRUCT] = PKGIMG_KIND_STRUCT,
      [DEBUG_UNION] = PKGIMG_KIND_UNION,   [DEBUG_POINTER] = PKGIMG_KIND_POINTER,
      [DEBUG_ARRAY] = PKGIMG_KIND_ARRAY,   [DEBUG_FUNCTION] = PKGIMG_KIND_FUNCTION,
      [DEBUG_OTHER] = PKGIMG_KIND_OTHER};
  static const enum pkgimg_type_kind numbers[] = {[DEBUG_SIGNED] = PKGIMG_KIND_INTEGER,
                                                  [DEBUG_UNSIGNED] = PKGIMG_KIND_UNSIGNED,
                                                  [DEBUG_FLOAT] = PKGIMG_KIND_FLOAT,
                                                  [DEBUG_COMPLEX] = PKGIMG_KIND_OTHER,
                                                  [DEBUG_NO_NUMBER] = PKGIMG_KIND_OTHER};
  enum debug_class class = debug_class_of(entry->node);
  LLVMMetadataRef base = entry->node;
  if (debug_is_declaration(entry->node))
    return PKGIMG_KIND_ABSTRACT;
  if (class == DEBUG_ENUM)
    base = debug_peel(walk->list.context, debug_target(walk->list.context, base), NULL);
  if (class != DEBUG_BASE && class != DEBUG_ENUM)
    return kinds[class];
  return debug_class_of(base) == DEBUG_BASE ? numbers[debug_encoding_of(walk->list.context, base)]
                                            : PKGIMG_KIND_UNSIGNED;
}

struct fields {
  const struct walk *walk;
  struct pkgimg_field_record *items;
  size_t count, capacity;
  uint64_t size;  // of the struct
};

// A stated type that stands for another may not fit where that one is.
static enum pkgimg_status add_field(void *data, const struct debug_member *member)
{
  struct fields *fields = data;
  const struct pkgimg_type_record *type = record_of(fields->walk, member->type);
  if (!type || member->offset > UINT32_MAX || !range_within(member->offset, type->size, fields->size))
    return PKGIMG_OK;
  TRY(array_reserve(&fields->items, &fields->capacity, fields->count, sizeof *fields->items, fields->walk->error));
  fields->items[fields->count++] = (struct pkgimg_field_record){member->name, type, member->offset};
  return PKGIMG_OK;
}

static enum pkgimg_status write_fields(const struct walk *walk, LLVMMetadataRef node,
                                       struct pkgimg_type_record *record)
{
  struct fields fields = {.walk = walk, .size = record->size};
  enum pkgimg_status status = debug_each_member(walk->list.context, node, add_field, &fields);
  record->fields = fields.items;
  record->field_count = fields.count;
  return status;
}

static enum pkgimg_status write_parameters(const struct walk *walk, LLVMMetadataRef node,
                                           struct pkgimg_type_record *record)
{
  enum debug_class class = debug_class_of(node);
  LLVMMetadataRef target = debug_target(walk->list.context, node);
  unsigned count = class == DEBUG_FUNCTION ? debug_signature_count(walk->list.context, node)
                   : class == DEBUG_ARRAY  ? 2
                                           : 1;
  struct pkgimg_parameter_record *parameters = calloc(count, sizeof *parameters);
  if (!parameters)
    return fail_memory(walk->error, count * sizeof *parameters);
  record->parameters = parameters;
  record->parameter_count = count;
  for (unsigned i = 0; class == DEBUG_FUNCTION && i < count; i++)
    parameters[i].type = record_of(walk, debug_signature(walk->list.context, node, i));
  if (class == DEBUG_FUNCTION)
    return PKGIMG_OK;
  uint64_t each = debug_size(debug_peel(walk->list.context, target, NULL));
  parameters[0].type = record_of(walk, target);
  if (class == DEBUG_ARRAY)
    parameters[1].value = each ? record->size / each : 0;
  return PKGIMG_OK;
}

// What a class is derived from is its supertype, if that is defined and not one of the sources' own making.
static const struct pkgimg_type_record *supertype_of(const struct walk *walk, LLVMMetadataRef node)
{
  LLVMMetadataRef base = debug_single_base(walk->list.context, node);
  const struct pkgimg_type_record *record = base ? record_of(walk, base) : NULL;
  return record && debug_class_of(base) == DEBUG_STRUCT && !debug_is_declaration(base) ? record : NULL;
}

static enum pkgimg_status write_type(const struct walk *walk, struct debug_entry *entry,
                                     struct pkgimg_type_record *record)
{
  enum debug_class class = debug_class_of(entry->node);
  record->name = entry->name;
  record->kind = kind_of(walk, entry);
  record->size = record->kind == PKGIMG_KIND_ABSTRACT ? 0 : debug_size(entry->node);
  if (record->kind != PKGIMG_KIND_ABSTRACT && class != DEBUG_FUNCTION)
    record->align = debug_list_align(&walk->list, entry);
  if (class == DEBUG_STRUCT)
    record->supertype = supertype_of(walk, entry->node);
  if (class == DEBUG_STRUCT || class == DEBUG_UNION)
    return write_fields(walk, entry->node, record);
  return class == DEBUG_POINTER || class == DEBUG_ARRAY || class == DEBUG_FUNCTION
             ? write_parameters(walk, entry->node, record)
             : PKGIMG_OK;
}

static enum pkgimg_status write_types(const struct walk *walk)
{
  for (size_t i = 0; i < walk->list.count; i++) {
    struct debug_entry *entry = &walk->list.entries[i];
    if (is_own(walk, entry))
      TRY(write_type(walk, entry, &walk->records->types[entry->record - walk->records->types]));
  }
  return PKGIMG_OK;
}

// ---- methods

static enum pkgimg_status write_method(const struct walk *walk, const struct method *method, unsigned count,
                                       const char *function)
{
  struct pkgimg_method_record *record = &walk->records->methods[walk->records->method_count];
  const struct pkgimg_type_record **arguments = calloc(count + 1u, sizeof *arguments);
  if (!arguments)
    return fail_memory(walk->error, count * sizeof *arguments);
  for (unsigned i = 0; i < count; i++)
    arguments[i] = record_of(walk, debug_signature(walk->list.context, method->type, i + 1));
  *record = (struct pkgimg_method_record){.function = function, .arguments = arguments, .argument_count = count};
  walk->records->method_count++;
  return PKGIMG_OK;
}

// Programs of several packages have many functions of one name: here each is its package's.
static enum pkgimg_status write_methods(const struct walk *walk, LLVMValueRef **code)
{
  enum { MOST_ARGUMENTS = 64 };
  struct codegen_records *records = walk->records;
  records->methods = calloc(walk->method_count + 1, sizeof *records->methods);
  *code = calloc(walk->method_count + 1, sizeof **code);
  if (!records->methods || !*code)
    return fail_memory(walk->error, walk->method_count * sizeof *records->methods);
  for (size_t i = 0; i < walk->method_count; i++) {
    const struct method *method = &walk->methods[i];
    unsigned count = debug_signature_count(walk->list.context, method->type) - 1;
    TRY(string_list_add(&records->strings, walk->error, "%s.%s", walk->options->name, name_of(method->function)));
    const char *function = records->strings.items[records->strings.count - 1];
    if (count > MOST_ARGUMENTS || find_name(&walk->stated_functions, function))
      continue;
    (*code)[records->method_count] = method->function;
    TRY(write_method(walk, method, count, function));
  }
  return PKGIMG_OK;
}

enum pkgimg_status debug_types_take(const struct codegen_options *options, LLVMModuleRef module,
                                    const struct codegen_records *stated, struct codegen_records *records,
                                    LLVMValueRef **code, struct pkgimg_error *error)
{
  const struct pkgimg_build_types *declared = options->declared;
  struct walk walk AUTO(walk_deinit) = {
      .options = options,
      .list = {.context = LLVMGetModuleContext(module), .strings = &records->strings, .error = error},
      .records = records,
      .error = error};
  TRY(list_functions(&walk, module));
  if (walk.method_count == 0)
    return PKGIMG_OK;
  TRY(list_stated(&walk, stated->types, stated->type_count, stated->methods, stated->method_count));
  if (declared)
    TRY(list_stated(&walk, declared->types, declared->type_count, declared->methods, declared->method_count));
  TRY(list_definitions(&walk));
  TRY(choose_records(&walk));
  TRY(write_types(&walk));
  return write_methods(&walk, code);
}
