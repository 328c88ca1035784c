// SPDX-License-Identifier: MIT
//
// Types alone: no methods, and nothing to construct. -DNODE=name has a type of its own, below one that all state;
// -DASIDE states one more; -DNEEDS=name points into another image.
#include "shapes.h"

#define JOIN(a, b) a##_##b
#define NAME(a, b) JOIN(a, b)
#define TEXT(a)    #a
#define STRING(a)  TEXT(a)
#define ASK(what)                                                                                                 \
  const struct pkgimg_type *NAME(NODE, what)(void)                                                                \
  {                                                                                                               \
    return PKGIMG_TYPE_OF(what);                                                                                  \
  }

PKGIMG_ABSTRACT(base, "kinds.base", &shape);
PKGIMG_ABSTRACT(own, "kinds." STRING(NODE), &base);
ASK(base)
ASK(own)
ASK(list)
#ifdef ASIDE
PKGIMG_ABSTRACT(aside, "kinds.aside", &thing);
ASK(aside)
#endif
#ifdef NEEDS
extern const struct pkgimg_type *NAME(NEEDS, own)(void);
const struct pkgimg_type *(*const NAME(NODE, below))(void) = NAME(NEEDS, own);
#endif
