// SPDX-License-Identifier: MIT
//
// Definitions of every kind, for relocs-check to refer to.
#include "relocs-lib.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define HIDDEN    __attribute__((visibility("hidden")))
#define PROTECTED __attribute__((visibility("protected")))

void lib_note(const char *what) {
  printf("note: %s\n", what);
  fflush(stdout);
}

// Run in the order of their priority, whatever the order of the source.
__attribute__((constructor(300))) static void constructor_300(void) {
  lib_note("constructor 300 of the library");
}
__attribute__((constructor(200))) static void constructor_200(void) {
  lib_note("constructor 200 of the library");
}
__attribute__((constructor)) static void constructor_plain(void) {
  lib_note("constructor of the library");
}

// When it runs among the destructors depends on who loads the library; that it runs does not.
static int handler_ran;
static void handler(void) {
  handler_ran++;
}
__attribute__((constructor)) static void registers(void) {
  atexit(handler);
}

__attribute__((destructor(200))) static void destructor_200(void) {
  lib_note(handler_ran == 1 ? "destructor 200 of the library" : "the atexit handler did not run once");
}
__attribute__((destructor)) static void destructor_plain(void) {
  lib_note("destructor of the library");
}
__attribute__((destructor(300))) static void destructor_300(void) {
  lib_note("destructor 300 of the library");
}

static void raw_initialiser(int argc, char **argv, char **environment) {
  printf("raw initialiser: %d %d %d\n", argc >= 1, argv && argv[0], environment != NULL);
}
__attribute__((section(".init_array"), used)) static void (*raw[])(int, char **, char **) = {raw_initialiser};

int lib_array[16] = {100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115};
int lib_zeros[4096];
const int lib_constants[4] = {1, 4, 9, 16};
struct nested lib_nested = {.inner = {{"zero", {0}}, {"one", {1, 2, 3}}, {"two", {4, 5, 6, 7, 8, 9}}}};
extern int lib_data_alias[16] __attribute__((alias("lib_array")));

HIDDEN int hidden_function(int value) {
  return value + 3000;
}
HIDDEN int hidden_data = 3;
int lib_plain(int value) {
  return value + 1;
}
__attribute__((weak)) int lib_weak(int value) {
  return value + 2;
}
PROTECTED int lib_protected(int value) {
  return value + hidden_data;
}
int lib_alias(int value) __attribute__((alias("lib_plain")));
int lib_weak_alias(int value) __attribute__((weak, alias("lib_plain")));

unary *lib_protected_address(void) {
  return lib_protected;
}
unary *lib_plain_address(void) {
  return lib_plain;
}
unary *lib_hidden_address(void) {
  return hidden_function;
}
size_t (*lib_strlen_address(void))(const char *) {
  return strlen;
}

// A definition in another file of this package replaces the weak one.
__attribute__((weak)) int chosen(void) {
  return 1;
}
int lib_chosen(void) {
  return chosen();
}

static int selected_one(int value) {
  return value * 2;
}
static int selected_two(int value) {
  return value * 3;
}
static unary *resolve_first(void) {
  return selected_one;
}
static unary *resolve_by_data(void) {
  return hidden_data == 3 ? selected_two : selected_one;
}
int lib_selected(int value) __attribute__((ifunc("resolve_by_data")));
static int static_selected(int value) __attribute__((ifunc("resolve_first")));
static unary *const static_selected_pointer = static_selected;
unary *lib_selected_address(void) {
  return lib_selected;
}
int lib_uses_static_ifunc(int value) {
  return static_selected(value) + static_selected_pointer(value);
}

extern int defined_nowhere(void) __attribute__((weak));
extern int data_nowhere[] __attribute__((weak));
static int (*nowhere_pointer)(void) = defined_nowhere;
int lib_has_nothing(void) {
  return (defined_nowhere == NULL) + (data_nowhere == NULL) + (nowhere_pointer == NULL);
}

const struct entry lib_table[4] = {
    {"plain", lib_plain, lib_array, sizeof lib_array},
    {"hidden", hidden_function, &lib_array[5], 4},
    {"selected", lib_selected, lib_constants, sizeof lib_constants},
    {"end", lib_weak, &lib_zeros[4095] + 1, 0},
};
const struct unaligned lib_unaligned = {'u', "unaligned text", hidden_function, lib_plain, &stdout};

#define FOUR(f) f, lib_plain, lib_protected, lib_weak
#define SIXTEEN FOUR(hidden_function), FOUR(lib_selected), FOUR(lib_alias), FOUR(abs)
unary *const lib_functions[64] = {SIXTEEN, SIXTEEN, SIXTEEN, SIXTEEN};

// Objects that the linker gathers, with the names it makes for both ends.
struct item {
  const char *name;
  const int *value;
};
#define ITEM(name, value)                                                                                         \
  __attribute__((section("relocs_items"), used, retain)) static const struct item item_##name = {#name, value}
ITEM(first, &lib_array[1]);
ITEM(second, &lib_array[2]);
ITEM(third, &lib_constants[3]);
extern const struct item __start_relocs_items[], __stop_relocs_items[];

int lib_sections(void) {
  int sum = 0;
  for (const struct item *item = __start_relocs_items; item < __stop_relocs_items; item++)
    sum += *item->value + (int)strlen(item->name);
  return sum;
}

// A table of labels, and a switch that becomes one.
int lib_interpret(const char *program) {
  static const void *const labels[] = {&&add, &&twice, &&negate, &&stop};
  int value = 1;
  goto *labels[*program++ & 3];
add:
  value += 7;
  goto *labels[*program++ & 3];
twice:
  value *= 2;
  goto *labels[*program++ & 3];
negate:
  value = -value;
  goto *labels[*program++ & 3];
stop:
  return value;
}

void lib_long_jump(void *environment, int value) {
  longjmp(*(jmp_buf *)environment, value);
}
