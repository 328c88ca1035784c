// SPDX-License-Identifier: MIT
#include "tests/unit/questions.h"

#include "tests/unit/check.h"
#include "tests/unit/loads.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct pkgimg_type *type_from(struct pkgimg_image *image, const char *function)
{
  return ((const struct pkgimg_type *(*)(void))symbol(image, function))();
}

const struct pkgimg_type *type_named(struct pkgimg_runtime *runtime, const char *name)
{
  const struct pkgimg_type *type = NULL;
  struct pkgimg_error error;
  CHECK_OK(pkgimg_type_find(runtime, name, &type, &error), &error);
  return type;
}

bool type_is_found(struct pkgimg_runtime *runtime, const char *name)
{
  const struct pkgimg_type *type;
  struct pkgimg_error error;
  enum pkgimg_status status = pkgimg_type_find(runtime, name, &type, &error);
  CHECK(status == PKGIMG_OK || status == PKGIMG_NOT_FOUND);
  return status == PKGIMG_OK;
}

static const char *const names[] = {"Int32",     "Int64",       "Length",     "Thing",       "Shape",
                                    "Circle",    "Square",      "Triangle",   "List",        "Left",
                                    "Right",     "Vector",      "Pointer",    "kinds.base",  "kinds.one",
                                    "kinds.two", "kinds.three", "kinds.four", "kinds.aside", "absent"};
static const char *const functions[] = {"shapes.area", "shapes.meet", "shapes.show",
                                        "shapes.two",  "cxx.show",    "absent"};
enum { NAMES = sizeof names / sizeof *names, FUNCTIONS = sizeof functions / sizeof *functions };

struct answers {
  struct pkgimg_runtime *runtime;
  FILE *out;
  const struct pkgimg_type *types[NAMES + 1];  // that have one name; the last: any
  size_t count;
};

static const char *text_of(const struct pkgimg_type *type)
{
  static char texts[4][128];
  static unsigned next;
  char *text = texts[next++ % 4];
  return type ? pkgimg_type_text(type, text, sizeof texts[0]) : "-";
}

static void put_type(struct answers *answers, const struct pkgimg_type *type)
{
  struct pkgimg_type_info info;
  struct pkgimg_error error;
  enum pkgimg_status status = pkgimg_type_describe(type, &info, &error);
  fprintf(answers->out, "%s", pkgimg_status_name(status));
  if (status != PKGIMG_OK)
    return;
  for (int i = 0; i < 16; i++)
    fprintf(answers->out, "%s%02x", i ? "" : " ", info.id[i]);
  fprintf(answers->out, " %s %s kind %d size %llu align %u: %s", info.name, text_of(type), (int)info.kind,
          (unsigned long long)info.size, info.align, text_of(info.supertype));
  fprintf(answers->out, " by id %d", pkgimg_type_by_id(answers->runtime, info.id) == type);
  for (size_t i = 0; i < info.field_count; i++) {
    struct pkgimg_type_field field = pkgimg_type_field(type, i);
    fprintf(answers->out, ", .%s at %llu: %s", field.name, (unsigned long long)field.offset, text_of(field.type));
  }
  for (size_t i = 0; i < info.parameter_count; i++) {
    struct pkgimg_type_parameter parameter = pkgimg_type_parameter(type, i);
    fprintf(answers->out, ", <%s %llu>", text_of(parameter.type), (unsigned long long)parameter.value);
  }
}

static void put_types(struct answers *answers)
{
  for (int i = 0; i < NAMES; i++) {
    const struct pkgimg_type *type = NULL;
    struct pkgimg_error error;
    enum pkgimg_status status = pkgimg_type_find(answers->runtime, names[i], &type, &error);
    fprintf(answers->out, "type %s: %s ", names[i], pkgimg_status_name(status));
    if (status == PKGIMG_OK) {
      put_type(answers, type);
      answers->types[answers->count++] = type;
    }
    fprintf(answers->out, "\n");
  }
  answers->types[answers->count++] = NULL;
}

static void put_subtypes(struct answers *answers)
{
  for (size_t i = 0; i < answers->count; i++) {
    fprintf(answers->out, "below %s:", text_of(answers->types[i]));
    for (size_t k = 0; k < answers->count; k++)
      if (pkgimg_subtype(answers->types[k], answers->types[i]))
        fprintf(answers->out, " %s", text_of(answers->types[k]));
    fprintf(answers->out, "\n");
  }
}

static void put_method(struct answers *answers, const char *function, const struct pkgimg_type *const *types,
                       size_t count)
{
  struct pkgimg_error error;
  void *address = NULL;
  enum pkgimg_status status = pkgimg_method(answers->runtime, function, types, count, &address, &error);
  fprintf(answers->out, "%s(%s, %s) of %zu: ", function, count > 0 ? text_of(types[0]) : "",
          count > 1 ? text_of(types[1]) : "", count);
  if (status == PKGIMG_OK)
    fprintf(answers->out, "%d\n", ((int (*)(void))(uintptr_t)address)());
  else
    fprintf(answers->out, "%s\n", pkgimg_status_name(status));
}

static void put_methods(struct answers *answers, const char *function)
{
  put_method(answers, function, NULL, 0);
  for (size_t i = 0; i + 1 < answers->count; i++) {
    put_method(answers, function, &answers->types[i], 1);
    for (size_t k = 0; k + 1 < answers->count; k++) {
      const struct pkgimg_type *pair[] = {answers->types[i], answers->types[k]};
      put_method(answers, function, pair, 2);
    }
  }
}

char *questions_ask(struct pkgimg_runtime *runtime)
{
  char *text = NULL;
  size_t size = 0;
  struct answers answers = {.runtime = runtime, .out = open_memstream(&text, &size)};
  if (!answers.out)
    abort();
  put_types(&answers);
  put_subtypes(&answers);
  for (int i = 0; i < FUNCTIONS; i++)
    put_methods(&answers, functions[i]);
  fclose(answers.out);
  return text;
}
