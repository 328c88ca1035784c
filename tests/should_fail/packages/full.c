// SPDX-License-Identifier: MIT
#include <pkgimg/types.h>
// Something for every table: sites into itself, into a dependency and into the host, residual
// relocations, a thread-local template, constructors, an initialisation function.
extern int leaf_value(int argument);
extern int leaf_counter;
extern int getppid(void);
extern double lgamma(double argument);
extern int maybe(void) __attribute__((weak));

_Thread_local int counter = 7;
static int numbers[64] = {1, 2, 3};
int *const table[8] = {numbers, numbers + 1, numbers + 5, numbers + 9, numbers + 20, numbers + 21, numbers + 40};
int *leaf_counters[3] = {&leaf_counter, 0, &leaf_counter};
int (*host_functions[2])(void) = {getppid, getppid};
double (*of_another_library)(double) = lgamma;
int (*leaf_functions[2])(int) = {leaf_value, 0};

static int chosen_value(void)
{
  return 2;
}
static int (*choose(void))(void)
{
  return chosen_value;
}
int chosen(void) __attribute__((ifunc("choose")));
int (*chosen_pointer)(void) = chosen;

__attribute__((constructor)) static void construct(void)
{
  counter++;
}
__attribute__((destructor)) static void destruct(void)
{
  counter--;
}
void initialise(void)
{
  numbers[0] = leaf_value(numbers[1]);
}
int value(void)
{
  return chosen() + *leaf_counters[0] + (maybe ? maybe() : 0);
}

// Types and methods: a supertype, a ring, a parameter; methods of no, one and two arguments.
struct node {
  struct node *next;
  int value;
};
PKGIMG_ABSTRACT(thing, "hostile.Thing", 0);
PKGIMG_ABSTRACT(listed, "hostile.Listed", &thing);
PKGIMG_SCALAR(number, "hostile.Number", PKGIMG_KIND_INTEGER, int, &thing);
PKGIMG_TYPE_DECLARE(node);
PKGIMG_POINTER(node_pointer, node);
PKGIMG_STRUCT(node, "hostile.Node", struct node, &listed, PKGIMG_FIELD(struct node, next, node_pointer),
              PKGIMG_FIELD(struct node, value, number));
PKGIMG_METHOD("hostile.method", initialise, );
PKGIMG_METHOD("hostile.method", initialise, &node);
PKGIMG_METHOD("hostile.method", initialise, PKGIMG_ANY, &number);
