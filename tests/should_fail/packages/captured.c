// SPDX-License-Identifier: MIT
// What was captured, with a set of each kind: words in W and in H that point to this image and to the one below (its
// data, its heap, a function with several bodies) and to the host; a root; a call at the end.
#include <stdlib.h>
#include <string.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define OWN(name)   JOIN(NODE, name)

#ifndef BYTES
#define BYTES 5000  // more than a page
#endif

struct object {
  struct object *own_object, *below_object;
  long *own_number, *below_number;
  double (*own_sum)(const double *, int), (*below_sum)(const double *, int);
  size_t (*host)(const char *);
  char bytes[BYTES];
};

long OWN(_number) = 1;
struct object *OWN(_object), OWN(_fixed);

double OWN(_sum)(const double *numbers, int count)
{
  double sum = 0;
  for (int i = 0; i < count; i++)
    sum += numbers[i] * numbers[i];
  return sum;
}

#ifdef BELOW
extern long JOIN(BELOW, _number);
extern struct object *JOIN(BELOW, _object);
extern double JOIN(BELOW, _sum)(const double *, int);
#define OTHER(name) JOIN(BELOW, name)
#else
#define OTHER(name) OWN(name)
#endif

static void at_exit(void)
{
  OWN(_number)++;
}

void precompile(void)
{
  OWN(_object) = calloc(1, sizeof *OWN(_object));
  *OWN(_object) = (struct object){.own_object = OWN(_object),
                                  .below_object = OTHER(_object),
                                  .own_number = &OWN(_number),
                                  .below_number = &OTHER(_number),
                                  .own_sum = OWN(_sum),
                                  .below_sum = OTHER(_sum),
                                  .host = strlen};
  OWN(_fixed) = *OWN(_object);
  atexit(at_exit);
}

int value(void)
{
  return OWN(_object)->host("four") + (int)*OWN(_object)->below_number;
}
