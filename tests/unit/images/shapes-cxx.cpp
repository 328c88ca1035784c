// SPDX-License-Identifier: MIT
//
// Types of shapes.h in C++: the same types, a ring among them, and methods whose code is C++.
#include <pkgimg/types.h>

struct circle {
  float radius;
};
struct list {
  list *next;
  int value;
};

PKGIMG_SCALAR(int32, "Int32", PKGIMG_KIND_INTEGER, int, 0);
PKGIMG_SCALAR(length_type, "Length", PKGIMG_KIND_FLOAT, float, 0);
PKGIMG_ABSTRACT(thing, "Thing", 0);

namespace shapes {
PKGIMG_ABSTRACT(shape, "Shape", &thing);
PKGIMG_STRUCT(circle_type, "Circle", circle, &shape, PKGIMG_FIELD(circle, radius, length_type));

template <int Number> int number()
{
  return Number;
}
PKGIMG_METHOD("cxx.show", number<401>, &circle_type);
PKGIMG_METHOD("cxx.show", number<402>, &shape, PKGIMG_ANY);
}  // namespace shapes

PKGIMG_TYPE_DECLARE(list_type);
PKGIMG_POINTER(list_pointer, list_type);
PKGIMG_STRUCT(list_type, "List", list, &thing, PKGIMG_FIELD(list, next, list_pointer),
              PKGIMG_FIELD(list, value, int32));

extern "C" const pkgimg_type *shapes_circle()
{
  return PKGIMG_TYPE_OF(shapes::circle_type);
}

extern "C" const pkgimg_type *shapes_list()
{
  return PKGIMG_TYPE_OF(list_type);
}
