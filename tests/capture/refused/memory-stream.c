// SPDX-License-Identifier: MIT
// A stream without a descriptor is an object of the C library's own.
// expect: which stream leads to
// expect: an object of the host
#include <stdio.h>
FILE *stream;
static char *text;
static size_t size;

void precompile(void)
{
  stream = open_memstream(&text, &size);
}
