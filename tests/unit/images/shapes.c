// SPDX-License-Identifier: MIT
//
// A package of shapes. -DPACKAGE=n chooses its methods; every one returns a number that tells it from all others.
#include "shapes.h"

static int wanted(int number)
{
  return 100 * PACKAGE + number;
}
#define BODY(number)                                                                                              \
  static int body##number(void)                                                                                   \
  {                                                                                                               \
    return wanted(number);                                                                                        \
  }
BODY(1)
BODY(2)
BODY(3)
BODY(4)
BODY(5)

#if PACKAGE == 1
PKGIMG_METHOD("shapes.area", body1, &circle);
PKGIMG_METHOD("shapes.area", body2, &shape);
PKGIMG_METHOD("shapes.meet", body3, &circle, &shape);
PKGIMG_METHOD("shapes.show", body4, PKGIMG_ANY);
PKGIMG_METHOD("shapes.show", body5, );
#elif PACKAGE == 2
PKGIMG_ABSTRACT(triangle, "Triangle", &shape);
PKGIMG_METHOD("shapes.area", body1, &triangle);
PKGIMG_METHOD("shapes.area", body2, &square);
PKGIMG_METHOD("shapes.meet", body3, &shape, &circle);
PKGIMG_METHOD("shapes.show", body4, &vector3);
PKGIMG_METHOD("shapes.two", body5, &circle, &square, &circle, &square, &circle, &square, &circle);
#elif PACKAGE == 3
PKGIMG_METHOD("shapes.alone", body1, &circle);
PKGIMG_METHOD("shapes.area", body2, &circle);
PKGIMG_METHOD("shapes.alone", body3, &square);
#endif

const struct pkgimg_type *shapes_circle(void)
{
  return PKGIMG_TYPE_OF(circle);
}
const struct pkgimg_type *shapes_list(void)
{
  return PKGIMG_TYPE_OF(list);
}

// The test's, if it wants to know.
extern void shapes_event(void) __attribute__((weak));

int started;
__attribute__((destructor)) static void stop(void)
{
  if (shapes_event)
    shapes_event();
}
__attribute__((constructor)) static void start(void)
{
  if (shapes_event)
    shapes_event();
  started = PKGIMG_TYPE_OF(nested) != 0 && body1() + body2() + body3() + body4() + body5();
}
