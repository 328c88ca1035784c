// SPDX-License-Identifier: MIT
//
// Types that several packages state, each for itself: simple ones, a family, and some that refer to one another.
#include <pkgimg/types.h>

#ifdef WIDE
typedef double length;
#else
typedef float length;
#endif

struct circle {
  length radius;
};
struct square {
  length side, angle;
};
struct list {
  struct list *next;
  int value;
};
struct vector {
  int *items;
  long count;
};

PKGIMG_SCALAR(int32, "Int32", PKGIMG_KIND_INTEGER, int, 0);
PKGIMG_SCALAR(int64, "Int64", PKGIMG_KIND_INTEGER, long, 0);
PKGIMG_SCALAR(length_type, "Length", PKGIMG_KIND_FLOAT, length, 0);
PKGIMG_ABSTRACT(thing, "Thing", 0);
PKGIMG_ABSTRACT(shape, "Shape", &thing);
PKGIMG_STRUCT(circle, "Circle", struct circle, &shape, PKGIMG_FIELD(struct circle, radius, length_type));
PKGIMG_STRUCT(square, "Square", struct square, &shape, PKGIMG_FIELD(struct square, side, length_type),
              PKGIMG_FIELD(struct square, angle, length_type));

// Rings: through a field and a parameter; two types that are each other's parameters.
PKGIMG_TYPE_DECLARE(list);
PKGIMG_POINTER(list_pointer, list);
PKGIMG_STRUCT(list, "List", struct list, &thing, PKGIMG_FIELD(struct list, next, list_pointer),
              PKGIMG_FIELD(struct list, value, int32));
PKGIMG_TYPE_DECLARE(left);
PKGIMG_TYPE_DECLARE(right);
PKGIMG_TYPE(left, "Left", PKGIMG_KIND_OTHER, 8, 8, 0, PKGIMG_NO_FIELDS,
            PKGIMG_PARAMETERS(PKGIMG_PARAMETER_TYPE(right)));
PKGIMG_TYPE(right, "Right", PKGIMG_KIND_OTHER, 8, 8, 0, PKGIMG_NO_FIELDS,
            PKGIMG_PARAMETERS(PKGIMG_PARAMETER_TYPE(left)));

// Vector{Int32,3} and Vector{Vector{Int32,3},4}.
PKGIMG_POINTER(int32_pointer, int32);
#define VECTOR(id, element, number)                                                                               \
  PKGIMG_TYPE(id, "Vector", PKGIMG_KIND_STRUCT, sizeof(struct vector), 8, &thing,                                 \
              PKGIMG_FIELDS(PKGIMG_FIELD(struct vector, items, int32_pointer),                                    \
                            PKGIMG_FIELD(struct vector, count, int64)),                                           \
              PKGIMG_PARAMETERS(PKGIMG_PARAMETER_TYPE(element), PKGIMG_PARAMETER_INTEGER(number)))
VECTOR(vector3, int32, 3);
VECTOR(nested, vector3, 4);
