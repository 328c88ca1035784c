// SPDX-License-Identifier: MIT
#include "tests/should_fail/ask_types.h"

static void ask_members(const struct pkgimg_type *type, const struct pkgimg_type_info *info)
{
  char text[64];
  for (size_t i = 0; i < info->field_count; i++)
    pkgimg_type_text(pkgimg_type_field(type, i).type, text, sizeof text);
  for (size_t i = 0; i < info->parameter_count; i++) {
    struct pkgimg_type_parameter parameter = pkgimg_type_parameter(type, i);
    if (parameter.type)
      pkgimg_type_text(parameter.type, text, sizeof text);
  }
}

static void ask_methods(struct pkgimg_runtime *runtime, const struct pkgimg_type *type)
{
  const struct pkgimg_type *types[] = {type, type};
  void *address;
  for (size_t count = 0; count < 3; count++)
    for (int again = 0; again < 2; again++)
      if (pkgimg_method(runtime, "hostile.method", types, count, &address, NULL) != PKGIMG_OK)
        break;
}

void ask_types(struct pkgimg_runtime *runtime)
{
  static const char *const names[] = {"hostile.Thing", "hostile.Number", "hostile.Node", "Pointer", ""};
  struct pkgimg_type_info info;
  const struct pkgimg_type *type;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (pkgimg_type_find(runtime, names[i], &type, NULL) != PKGIMG_OK)
      continue;
    if (pkgimg_type_describe(type, &info, NULL) == PKGIMG_OK)
      ask_members(type, &info);
    ask_methods(runtime, type);
  }
}
