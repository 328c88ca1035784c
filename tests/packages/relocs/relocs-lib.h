// SPDX-License-Identifier: MIT
#ifndef RELOCS_LIB_H
#define RELOCS_LIB_H

#include <stddef.h>
#include <stdio.h>

typedef int unary(int);

struct entry {
  const char *name;
  unary *function;
  const int *data;
  size_t size;
};

struct __attribute__((packed)) unaligned {
  char tag;
  const char *text;
  unary *function;
  unary *lib_function;
  FILE **stream;
};

struct nested {
  long head[4];
  struct {
    char name[8];
    int values[6];
  } inner[3];
};

// Order of constructors and destructors.
void lib_note(const char *what);

extern int lib_array[16];
extern int lib_zeros[4096];
extern const int lib_constants[4];
extern struct nested lib_nested;
extern const struct entry lib_table[4];
extern const struct unaligned lib_unaligned;
extern unary *const lib_functions[64];

int lib_plain(int value);
int lib_weak(int value);
int lib_protected(int value);
unary *lib_protected_address(void);
int lib_alias(int value);
int lib_weak_alias(int value);
extern int lib_data_alias[16];
extern int lib_selected(int value); // an indirect function
unary *lib_selected_address(void);
int lib_uses_static_ifunc(int value);
unary *lib_plain_address(void);
int lib_has_nothing(void);
unary *lib_hidden_address(void);
size_t (*lib_strlen_address(void))(const char *);
int lib_chosen(void);
int lib_sections(void);
int lib_interpret(const char *program);
void lib_long_jump(void *environment, int value);
long lib_from_ll(int index);
const void *lib_shared_once(void);
#endif
