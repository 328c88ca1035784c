// SPDX-License-Identifier: MIT
//
// Types and methods of an inspection, as text and as JSON.
#include "cli/inspect.h"
#include "cli/text.h"

#include <inttypes.h>

// ---- text

static void print_type_name(const struct inspect_view *view, size_t index, unsigned depth)
{
  enum { DEPTH = 4, MANY = 16 };  // a type may be a parameter of its own parameters
  struct pkgimg_stated_type type = pkgimg_inspection_type(view->inspection, index);
  print_text(stdout, type.name);
  for (size_t i = 0; i < type.parameter_count; i++) {
    struct pkgimg_stated_parameter parameter = pkgimg_inspection_type_parameter(view->inspection, index, i);
    putchar(i ? ',' : '{');
    if ((parameter.is_type && depth == DEPTH) || i == MANY)
      printf("...");
    else if (parameter.is_type)
      print_type_name(view, parameter.value, depth + 1);
    else
      printf("%" PRIu64, parameter.value);
    if (i + 1 == type.parameter_count || i == MANY)
      putchar('}');
    if (i == MANY)
      break;
  }
}

static void print_type(const struct inspect_view *view, size_t index)
{
  struct pkgimg_stated_type type = pkgimg_inspection_type(view->inspection, index);
  printf("  %s  %-8s %8" PRIu64 "  ", build_id_text(type.id).digits, type.kind, type.size);
  print_type_name(view, index, 0);
  if (type.has_supertype) {
    printf(" <: ");
    print_type_name(view, type.supertype, 0);
  }
  putchar('\n');
  for (size_t i = 0; view->symbols && i < type.field_count; i++) {
    struct pkgimg_stated_field field = pkgimg_inspection_type_field(view->inspection, index, i);
    printf("    %8" PRIu64 "  ", field.offset);
    print_text(stdout, field.name);
    printf(": ");
    print_type_name(view, field.type, 0);
    putchar('\n');
  }
}

static void print_method(const struct inspect_view *view, size_t index)
{
  struct pkgimg_stated_method method = pkgimg_inspection_method(view->inspection, index);
  printf("  %#12" PRIx64 "  ", method.word);
  print_text(stdout, method.function);
  for (size_t i = 0; i < method.argument_count; i++) {
    size_t type = pkgimg_inspection_method_argument(view->inspection, index, i);
    printf("%s", i ? ", " : "(");
    if (type == SIZE_MAX)
      printf("any");
    else
      print_type_name(view, type, 0);
  }
  printf("%s)\n", method.argument_count ? "" : "(");
}

void inspect_print_types(const struct inspect_view *view)
{
  inspect_print_heading("Types", view->summary->types);
  for (size_t i = 0; i < view->summary->types; i++)
    print_type(view, i);
  inspect_print_heading("Methods", view->summary->methods);
  for (size_t i = 0; i < view->summary->methods; i++)
    print_method(view, i);
}

// ---- JSON

static void write_type(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_stated_type type = pkgimg_inspection_type(view->inspection, index);
  json_string(json, "name", type.name);
  json_string(json, "id", build_id_text(type.id).digits);
  json_string(json, "kind", type.kind);
  json_unsigned(json, "size", type.size);
  json_unsigned(json, "align", type.align);
  if (type.has_supertype)
    json_unsigned(json, "supertype", type.supertype);
  json_open(json, "fields", '[');
  for (size_t i = 0; i < type.field_count; i++) {
    struct pkgimg_stated_field field = pkgimg_inspection_type_field(view->inspection, index, i);
    json_open(json, NULL, '{');
    json_string(json, "name", field.name);
    json_unsigned(json, "offset", field.offset);
    json_unsigned(json, "type", field.type);
    json_close(json, '}');
  }
  json_close(json, ']');
  json_open(json, "parameters", '[');
  for (size_t i = 0; i < type.parameter_count; i++) {
    struct pkgimg_stated_parameter parameter = pkgimg_inspection_type_parameter(view->inspection, index, i);
    json_open(json, NULL, '{');
    json_unsigned(json, parameter.is_type ? "type" : "value", parameter.value);
    json_close(json, '}');
  }
  json_close(json, ']');
}

static void write_method(struct json *json, const struct inspect_view *view, size_t index)
{
  struct pkgimg_stated_method method = pkgimg_inspection_method(view->inspection, index);
  json_string(json, "function", method.function);
  json_unsigned(json, "word", method.word);
  json_open(json, "arguments", '[');
  for (size_t i = 0; i < method.argument_count; i++) {
    size_t type = pkgimg_inspection_method_argument(view->inspection, index, i);
    if (type == SIZE_MAX)
      json_string(json, NULL, NULL);
    else
      json_unsigned(json, NULL, type);
  }
  json_close(json, ']');
}

void inspect_write_types(struct json *json, const struct inspect_view *view)
{
  inspect_write_list(json, "types", view, view->summary->types, write_type);
  inspect_write_list(json, "methods", view, view->summary->methods, write_method);
}
