// SPDX-License-Identifier: MIT
//
// The same types once more in the same package, so that the build has to find out that they are the same: a list
// whose ring is twice as long, too.
#include "shapes.h"

PKGIMG_TYPE_DECLARE(list_two);
PKGIMG_POINTER(list_two_pointer, list_two);
PKGIMG_STRUCT(list_one, "List", struct list, &thing, PKGIMG_FIELD(struct list, next, list_two_pointer),
              PKGIMG_FIELD(struct list, value, int32));
PKGIMG_POINTER(list_one_pointer, list_one);
PKGIMG_STRUCT(list_two, "List", struct list, &thing, PKGIMG_FIELD(struct list, next, list_one_pointer),
              PKGIMG_FIELD(struct list, value, int32));

const struct pkgimg_type *again_list_one(void)
{
  return PKGIMG_TYPE_OF(list_one);
}
const struct pkgimg_type *again_list_two(void)
{
  return PKGIMG_TYPE_OF(list_two);
}
const struct pkgimg_type *again_list(void)
{
  return PKGIMG_TYPE_OF(list);
}
