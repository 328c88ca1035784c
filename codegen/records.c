// SPDX-License-Identifier: MIT
#include "codegen/records.h"

#include "codegen/debug_types.h"
#include "codegen/values.h"

#include <llvm-c/Core.h>
#include <stdlib.h>
#include <string.h>

struct place {
  LLVMValueRef global;
  size_t index;
};

struct taking {
  const struct codegen_options *options;
  LLVMModuleRef module;
  struct codegen_records *records, *debug;
  LLVMValueRef *debug_code;       // of the methods of `debug`
  struct place *types, *methods;  // records of the module
  size_t type_count, method_count;
  struct pkgimg_error *error;
};

void records_deinit(struct codegen_records *records)
{
  for (size_t i = 0; records->types && i < records->type_count; i++) {
    free((void *)(uintptr_t)records->types[i].fields);
    free((void *)(uintptr_t)records->types[i].parameters);
  }
  for (size_t i = 0; records->methods && i < records->method_count; i++)
    free((void *)(uintptr_t)records->methods[i].arguments);
  free(records->types);
  free(records->methods);
  string_list_deinit(&records->strings);
  *records = (struct codegen_records){0};
}

// ---- constants

static enum pkgimg_status refuse(const struct taking *taking, LLVMValueRef record, const char *why)
{
  return fail_name(taking->error, PKGIMG_COMPILE, taking->options->name, name_of(record), "its record %s", why);
}

// The initial value of a constant that a pointer points to; NULL if it does not.
static LLVMValueRef pointee(LLVMValueRef pointer)
{
  return pointer && LLVMIsAGlobalVariable(pointer) ? LLVMGetInitializer(pointer) : NULL;
}

static enum pkgimg_status read_integer(const struct taking *taking, LLVMValueRef record, LLVMValueRef constant,
                                       uint64_t *value)
{
  if (!constant || !LLVMIsAConstantInt(constant))
    return refuse(taking, record, "has something else where a number should be");
  *value = LLVMConstIntGetZExtValue(constant);
  return PKGIMG_OK;
}

static enum pkgimg_status read_string(const struct taking *taking, LLVMValueRef record, LLVMValueRef pointer,
                                      const char **text)
{
  LLVMValueRef constant = pointee(pointer);
  size_t length = 0;
  const char *bytes = constant && LLVMIsConstantString(constant) ? LLVMGetAsString(constant, &length) : NULL;
  if (!bytes || length < 2 || memchr(bytes, 0, length) != bytes + length - 1)
    return refuse(taking, record, "has something else where a name should be");
  TRY(string_list_add(&taking->records->strings, taking->error, "%s", bytes));
  *text = taking->records->strings.items[taking->records->strings.count - 1];
  return PKGIMG_OK;
}

static int by_global(const void *left, const void *right)
{
  const struct place *a = left, *b = right;
  return (uintptr_t)a->global < (uintptr_t)b->global ? -1 : (uintptr_t)a->global > (uintptr_t)b->global;
}

// The record that a pointer means; NULL for a null pointer.
static enum pkgimg_status read_type(const struct taking *taking, LLVMValueRef record, LLVMValueRef pointer,
                                    const struct pkgimg_type_record **type)
{
  struct place key = {.global = pointer};
  const struct place *found = bsearch(&key, taking->types, taking->type_count, sizeof *taking->types, by_global);
  *type = found ? &taking->records->types[found->index] : NULL;
  if (found || (pointer && LLVMIsNull(pointer)))
    return PKGIMG_OK;
  return refuse(taking, record, "refers to what is no record of a type");
}

// An array of `count` elements that a record points to; NULL if it is empty.
static enum pkgimg_status read_array(const struct taking *taking, LLVMValueRef record, LLVMValueRef pointer,
                                     uint64_t count, LLVMValueRef *array)
{
  LLVMValueRef found = pointee(pointer);
  *array = count ? found : NULL;
  if (count == 0)
    return PKGIMG_OK;
  if (!found || LLVMGetTypeKind(LLVMTypeOf(found)) != LLVMArrayTypeKind ||
      LLVMGetArrayLength2(LLVMTypeOf(found)) < count || count > UINT32_MAX)
    return refuse(taking, record, "has something else where an array should be");
  return PKGIMG_OK;
}

// ---- records

enum {
  TYPE_TYPE,
  TYPE_NAME,
  TYPE_SUPERTYPE,
  TYPE_FIELDS,
  TYPE_FIELD_COUNT,
  TYPE_PARAMETERS,
  TYPE_PARAMETER_COUNT,
  TYPE_SIZE,
  TYPE_ALIGN,
  TYPE_KIND
};

static enum pkgimg_status read_fields(const struct taking *taking, LLVMValueRef global, LLVMValueRef array,
                                      struct pkgimg_type_record *record)
{
  struct pkgimg_field_record *fields = calloc(record->field_count + 1, sizeof *fields);
  if (!fields)
    return fail_memory(taking->error, record->field_count * sizeof *fields);
  record->fields = fields;
  for (unsigned i = 0; i < record->field_count; i++) {
    LLVMValueRef field = LLVMGetAggregateElement(array, i);
    TRY(read_string(taking, global, LLVMGetAggregateElement(field, 0), &fields[i].name));
    TRY(read_type(taking, global, LLVMGetAggregateElement(field, 1), &fields[i].type));
    TRY(read_integer(taking, global, LLVMGetAggregateElement(field, 2), &fields[i].offset));
  }
  return PKGIMG_OK;
}

static enum pkgimg_status read_parameters(const struct taking *taking, LLVMValueRef global, LLVMValueRef array,
                                          struct pkgimg_type_record *record)
{
  struct pkgimg_parameter_record *parameters = calloc(record->parameter_count + 1, sizeof *parameters);
  if (!parameters)
    return fail_memory(taking->error, record->parameter_count * sizeof *parameters);
  record->parameters = parameters;
  for (unsigned i = 0; i < record->parameter_count; i++) {
    LLVMValueRef parameter = LLVMGetAggregateElement(array, i);
    TRY(read_type(taking, global, LLVMGetAggregateElement(parameter, 0), &parameters[i].type));
    TRY(read_integer(taking, global, LLVMGetAggregateElement(parameter, 1), &parameters[i].value));
  }
  return PKGIMG_OK;
}

static enum pkgimg_status read_type_record(const struct taking *taking, LLVMValueRef global,
                                           struct pkgimg_type_record *record)
{
  LLVMValueRef value = LLVMGetInitializer(global), fields, parameters;
  uint64_t align, kind;
  TRY(read_string(taking, global, LLVMGetAggregateElement(value, TYPE_NAME), &record->name));
  TRY(read_type(taking, global, LLVMGetAggregateElement(value, TYPE_SUPERTYPE), &record->supertype));
  TRY(read_integer(taking, global, LLVMGetAggregateElement(value, TYPE_FIELD_COUNT), &record->field_count));
  TRY(read_integer(taking, global, LLVMGetAggregateElement(value, TYPE_PARAMETER_COUNT),
                   &record->parameter_count));
  TRY(read_integer(taking, global, LLVMGetAggregateElement(value, TYPE_SIZE), &record->size));
  TRY(read_integer(taking, global, LLVMGetAggregateElement(value, TYPE_ALIGN), &align));
  TRY(read_integer(taking, global, LLVMGetAggregateElement(value, TYPE_KIND), &kind));
  record->align = (uint32_t)align;
  record->kind = (uint32_t)kind;
  TRY(read_array(taking, global, LLVMGetAggregateElement(value, TYPE_FIELDS), record->field_count, &fields));
  TRY(read_array(taking, global, LLVMGetAggregateElement(value, TYPE_PARAMETERS), record->parameter_count,
                 &parameters));
  TRY(read_fields(taking, global, fields, record));
  return read_parameters(taking, global, parameters, record);
}

enum { METHOD_FUNCTION, METHOD_CODE, METHOD_ARGUMENTS, METHOD_ARGUMENT_COUNT };

static enum pkgimg_status read_method_record(const struct taking *taking, LLVMValueRef global,
                                             struct pkgimg_method_record *record)
{
  LLVMValueRef value = LLVMGetInitializer(global), array;
  TRY(read_string(taking, global, LLVMGetAggregateElement(value, METHOD_FUNCTION), &record->function));
  TRY(read_integer(taking, global, LLVMGetAggregateElement(value, METHOD_ARGUMENT_COUNT),
                   &record->argument_count));
  TRY(read_array(taking, global, LLVMGetAggregateElement(value, METHOD_ARGUMENTS), record->argument_count,
                 &array));
  if (LLVMIsNull(LLVMGetAggregateElement(value, METHOD_CODE)))
    return refuse(taking, global, "has no function");
  const struct pkgimg_type_record **arguments = calloc(record->argument_count + 1, sizeof *arguments);
  if (!arguments)
    return fail_memory(taking->error, record->argument_count * sizeof *arguments);
  record->arguments = arguments;
  for (unsigned i = 0; i < record->argument_count; i++)
    TRY(read_type(taking, global, LLVMGetAggregateElement(array, i), &arguments[i]));
  return PKGIMG_OK;
}

static enum pkgimg_status read_records(const struct taking *taking)
{
  struct codegen_records *records = taking->records;
  for (size_t i = 0; i < taking->type_count; i++)
    TRY(read_type_record(taking, taking->types[i].global, &records->types[taking->types[i].index]));
  for (size_t i = 0; i < taking->method_count; i++)
    TRY(read_method_record(taking, taking->methods[i].global, &records->methods[taking->methods[i].index]));
  return PKGIMG_OK;
}

// ---- finding them

static bool is_record(LLVMValueRef global, const char *section)
{
  const char *found = LLVMGetSection(global);
  return LLVMGetInitializer(global) && found && strcmp(found, section) == 0;
}

static enum pkgimg_status list_records(const struct taking *taking, const char *section, struct place **places,
                                       size_t *count)
{
  size_t capacity = 0;
  for (LLVMValueRef g = LLVMGetFirstGlobal(taking->module); g; g = LLVMGetNextGlobal(g)) {
    if (!is_record(g, section))
      continue;
    TRY(array_reserve(places, &capacity, *count, sizeof **places, taking->error));
    (*places)[*count] = (struct place){g, *count};
    ++*count;
  }
  if (*count)
    qsort(*places, *count, sizeof **places, by_global);
  return PKGIMG_OK;
}

// ---- words in their place

static bool is_among(const struct place *places, size_t count, LLVMValueRef value)
{
  struct place key = {.global = value};
  return count && bsearch(&key, places, count, sizeof *places, by_global);
}

// A list of what has to stay, without the records.
static enum pkgimg_status shorten_list(const struct taking *taking, const char *list)
{
  LLVMValueRef global = LLVMGetNamedGlobal(taking->module, list);
  LLVMValueRef old = global ? LLVMGetInitializer(global) : NULL;
  unsigned count = old ? (unsigned)LLVMGetNumOperands(old) : 0, left = 0;
  LLVMValueRef *members AUTO(free_pointer) = calloc(count + 1u, sizeof *members);
  LLVMTypeRef pointer = LLVMPointerTypeInContext(LLVMGetModuleContext(taking->module), 0);
  if (!members)
    return fail_memory(taking->error, count * sizeof *members);
  for (unsigned i = 0; i < count; i++) {
    LLVMValueRef member = LLVMGetOperand(old, i);
    if (!is_among(taking->types, taking->type_count, member) &&
        !is_among(taking->methods, taking->method_count, member))
      members[left++] = member;
  }
  if (left == count)
    return PKGIMG_OK;
  LLVMDeleteGlobal(global);
  if (left == 0)
    return PKGIMG_OK;
  LLVMValueRef shorter = LLVMAddGlobal(taking->module, LLVMArrayType2(pointer, left), list);
  LLVMSetInitializer(shorter, LLVMConstArray2(pointer, members, left));
  LLVMSetLinkage(shorter, LLVMAppendingLinkage);
  LLVMSetSection(shorter, "llvm.metadata");
  return PKGIMG_OK;
}

// Code may look at the first word of a record, which stays; what lies behind it is gone.
static enum pkgimg_status check_uses(const struct taking *taking, LLVMValueRef record)
{
  for (LLVMUseRef use = LLVMGetFirstUse(record); use; use = LLVMGetNextUse(use))
    if (LLVMIsAConstantExpr(LLVMGetUser(use)))
      return refuse(taking, record, "is read by the program, which may only ask for PKGIMG_TYPE_OF");
  return PKGIMG_OK;
}

static LLVMValueRef add_words(const struct taking *taking, const char *section, const char *name,
                              LLVMValueRef *values, size_t count)
{
  LLVMTypeRef pointer = LLVMPointerTypeInContext(LLVMGetModuleContext(taking->module), 0);
  LLVMTypeRef type = LLVMArrayType2(pointer, count);
  LLVMValueRef words = LLVMAddGlobal(taking->module, type, name);
  LLVMSetInitializer(words, values ? LLVMConstArray2(pointer, values, count) : LLVMConstNull(type));
  LLVMSetExternallyInitialized(words, 1);  // by the loader: nobody may believe the initial value
  LLVMSetVisibility(words, LLVMHiddenVisibility);
  LLVMSetSection(words, section);
  LLVMSetAlignment(words, 8);
  return words;
}

static LLVMValueRef word_at(const struct taking *taking, LLVMValueRef words, size_t index)
{
  LLVMContextRef context = LLVMGetModuleContext(taking->module);
  LLVMValueRef number = LLVMConstInt(LLVMInt64TypeInContext(context), index, 0);
  return LLVMConstInBoundsGEP2(LLVMPointerTypeInContext(context, 0), words, &number, 1);
}

static enum pkgimg_status place_types(const struct taking *taking)
{
  const struct pkgimg_build_types *declared = taking->options->declared;
  size_t more = declared ? declared->type_count : 0;
  if (taking->type_count + more == 0)
    return PKGIMG_OK;
  for (size_t i = 0; i < taking->type_count; i++)
    TRY(check_uses(taking, taking->types[i].global));
  LLVMValueRef words = add_words(taking, "pkgimg_types", "pkgimg.types", NULL, taking->type_count + more);
  for (size_t i = 0; i < taking->type_count; i++) {
    LLVMReplaceAllUsesWith(taking->types[i].global, word_at(taking, words, taking->types[i].index));
    LLVMDeleteGlobal(taking->types[i].global);
  }
  for (size_t i = 0; declared && declared->type_symbols && i < more; i++) {
    const char *symbol = declared->type_symbols[i];
    LLVMValueRef global = symbol ? LLVMGetNamedGlobal(taking->module, symbol) : NULL;
    if (!global)
      continue;
    if (LLVMGetInitializer(global))
      return fail_name(taking->error, PKGIMG_COMPILE, taking->options->name, symbol,
                       "the word of a type is defined by a module, which may only declare it");
    LLVMReplaceAllUsesWith(global, word_at(taking, words, taking->type_count + i));
    LLVMDeleteGlobal(global);
  }
  return PKGIMG_OK;
}

static enum pkgimg_status find_code(const struct taking *taking, LLVMValueRef *code)
{
  const struct pkgimg_build_types *declared = taking->options->declared;
  for (size_t i = 0; i < taking->method_count; i++)
    code[taking->methods[i].index] =
        LLVMGetAggregateElement(LLVMGetInitializer(taking->methods[i].global), METHOD_CODE);
  for (size_t i = 0; declared && i < declared->method_count; i++) {
    const char *symbol = declared->method_symbols ? declared->method_symbols[i] : NULL;
    LLVMValueRef function = symbol ? LLVMGetNamedFunction(taking->module, symbol) : NULL;
    if (!function)
      return fail_name(taking->error, PKGIMG_UNDEFINED_SYMBOL, taking->options->name, symbol ? symbol : "(none)",
                       "no module has this function, a method of %s", declared->methods[i].function);
    code[taking->method_count + i] = function;
  }
  size_t stated = taking->method_count + (declared ? declared->method_count : 0);
  for (size_t i = 0; i < taking->debug->method_count; i++)
    code[stated + i] = taking->debug_code[i];
  return PKGIMG_OK;
}

static enum pkgimg_status place_methods(const struct taking *taking)
{
  size_t count = taking->method_count + (taking->options->declared ? taking->options->declared->method_count : 0) +
                 taking->debug->method_count;
  LLVMValueRef *code AUTO(free_pointer) = calloc(count + 1, sizeof *code);
  if (!code)
    return fail_memory(taking->error, count * sizeof *code);
  TRY(find_code(taking, code));
  if (count)
    add_words(taking, "pkgimg_methods", "pkgimg.methods", code, count);
  for (size_t i = 0; i < taking->method_count; i++)
    LLVMDeleteGlobal(taking->methods[i].global);
  return PKGIMG_OK;
}

// ---- all of it

static enum pkgimg_status take(struct taking *taking)
{
  struct codegen_records *records = taking->records;
  TRY(list_records(taking, "pkgimg_types", &taking->types, &taking->type_count));
  TRY(list_records(taking, "pkgimg_methods", &taking->methods, &taking->method_count));
  records->types = calloc(taking->type_count + 1, sizeof *records->types);
  records->methods = calloc(taking->method_count + 1, sizeof *records->methods);
  if (!records->types || !records->methods)
    return fail_memory(taking->error, taking->type_count * sizeof *records->types);
  records->type_count = taking->type_count;
  records->method_count = taking->method_count;
  TRY(read_records(taking));
  if (taking->options->debug_types)
    TRY(debug_types_take(taking->options, taking->module, records, taking->debug, &taking->debug_code,
                         taking->error));
  TRY(shorten_list(taking, "llvm.used"));
  TRY(shorten_list(taking, "llvm.compiler.used"));
  TRY(place_methods(taking));
  return place_types(taking);
}

enum pkgimg_status records_take(const struct codegen_options *options, LLVMModuleRef module,
                                struct codegen_result *result, struct pkgimg_error *error)
{
  struct taking taking = {.options = options,
                          .module = module,
                          .records = &result->records,
                          .debug = &result->debug_records,
                          .error = error};
  enum pkgimg_status status = take(&taking);
  free(taking.types);
  free(taking.methods);
  free(taking.debug_code);
  return status;
}
