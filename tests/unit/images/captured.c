// SPDX-License-Identifier: MIT
//
// A heap from build time, and another image whose heap points into it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
  struct node *next;
  char *text;
  int (*function)(int);
};
extern struct node *captured_list(void);
extern int captured_double(int value);

#ifdef USER
static struct node *held;
void user_warm(void) {
  held = malloc(sizeof *held);
  *held = (struct node){captured_list(), strdup("mine"), captured_double};
}
int user_holds(void) {
  return held->next == captured_list() && held->function == captured_double && held->function(4) == 8;
}
#else
enum { NODES = 1000 };
static struct node *list;
int captured_double(int value) {
  return 2 * value;
}
void captured_warm(void) {
  for (int i = 0; i < NODES; i++) {
    struct node *node = malloc(sizeof *node);
    char text[32];
    snprintf(text, sizeof text, "node %d", i);
    *node = (struct node){list, strdup(text), captured_double};
    list = node;
  }
}
struct node *captured_list(void) {
  return list;
}
int captured_sum(void) {
  int sum = 0;
  for (const struct node *node = list; node; node = node->next)
    sum += (int)strtol(node->text + strlen("node "), NULL, 10) + node->function(1);
  return sum;
}
void captured_forget(void) {
  list->text = realloc(list->text, 4000);
  memset(list->text, 'x', 4000);
  while (list) {
    struct node *next = list->next;
    free(list->text);
    free(list);
    list = next;
  }
}
#endif
