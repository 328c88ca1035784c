// SPDX-License-Identifier: MIT
//
// The comparison without case that a bundled libucl expects of its surroundings, and the type of
// its table of lower-case letters (which cmake/ucl/lc_map.c holds).
#ifndef UCL_STR_UTIL_H
#define UCL_STR_UTIL_H

#include <strings.h>

typedef unsigned char guchar;

#define rspamd_lc_cmp(left, right, length) strncasecmp(left, right, length)

#endif
