// A time stamp in a nested object, and an open file: neither can be in an image.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct entry {
  struct entry *next;
  char name[24];
  time_t made;
};
struct table {
  long size;
  struct entry **slots;
};
struct table state;

static struct entry *make(void)
{
  struct entry *entry = calloc(1, sizeof *entry);
  entry->made = time(NULL);
  return entry;
}

void keep_time(void)
{
  state.slots = calloc(8, sizeof *state.slots);
  state.slots[3] = make();
}

void keep_chain(void)
{
  state.slots = calloc(8, sizeof *state.slots);
  struct entry **last = &state.slots[3];
  for (int i = 0; i < 9; i++, last = &(*last)->next)
    *last = calloc(1, sizeof **last);
  *last = make();
}

struct log {
  int level;
  FILE *out;
} *logger;

void keep_file(void)
{
  logger = calloc(1, sizeof *logger);
  logger->out = fopen("/etc/passwd", "r");
}

void keep_text(void)
{
  static char *text;
  static size_t size;
  logger = calloc(1, sizeof *logger);
  logger->out = open_memstream(&text, &size);
}
