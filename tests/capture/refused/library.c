// SPDX-License-Identifier: MIT
// A dependency whose initialisation runs in each process.
#include <stdlib.h>

int library_counter = 5;
static char *object;

__attribute__((constructor)) static void construct(void)
{
  object = malloc(40);
}

char *library_object(void)
{
  return object;
}
void library_count(void)
{
  library_counter++;
}
