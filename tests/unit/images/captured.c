// SPDX-License-Identifier: MIT
//
// One image of a chain, with what its initialisation left; NODE is its name. BELOW is another one's, whose captured
// objects it points to.
#include <stdlib.h>
#include <string.h>

#define TEXT_(name) #name
#define TEXT(name)  TEXT_(name)
#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define OWN(name)   JOIN(NODE, name)

extern void unit_log(const char *event) __attribute__((weak));

struct entry {
  struct entry *next, *below;  // below: the like entry of the other image
  char *name;
  long (*function)(long);
  long *number;  // in W
  size_t (*host)(const char *);
  long serial;
};

enum { ENTRIES = 300 };

long OWN(_numbers)[ENTRIES];
struct entry *OWN(_head), **OWN(_table);

long OWN(_function)(long value)
{
  return value + OWN(_numbers)[1];
}

#ifdef BELOW
extern struct entry *JOIN(BELOW, _head), **JOIN(BELOW, _table);
extern long JOIN(BELOW, _numbers)[ENTRIES], JOIN(BELOW, _function)(long);
#define OTHER(name) JOIN(BELOW, name)
#else
#define OTHER(name) OWN(name)
#endif

static void at_exit(void)
{
  if (unit_log)
    unit_log("atexit " TEXT(NODE));
}

__attribute__((constructor)) static void construct(void)
{
  if (unit_log)
    unit_log("construct " TEXT(NODE));
  OWN(_table) = calloc(ENTRIES, sizeof *OWN(_table));
  atexit(at_exit);
}

// Entries of this image point to those of the other one, to its functions and to its numbers.
void OWN(_precompile)(void)
{
  for (long i = 0; i < ENTRIES; i++) {
    struct entry *entry = malloc(sizeof *entry);
    *entry = (struct entry){.next = OWN(_head),
                            .below = OWN(_table) == OTHER(_table) ? entry : OTHER(_table)[i],
                            .name = strdup(TEXT(NODE)),
                            .function = i % 2 ? OWN(_function) : OTHER(_function),
                            .number = i % 2 ? &OWN(_numbers)[i] : &OTHER(_numbers)[i],
                            .host = strlen,
                            .serial = i};
    OWN(_numbers)[i] = 3 * i;
    OWN(_table)[i] = OWN(_head) = entry;
  }
}

static int good_entry(const struct entry *entry)
{
  return entry->serial < 3 * ENTRIES && OWN(_table)[entry->serial] == entry &&
         entry->host(entry->name) == strlen(TEXT(NODE)) && *entry->number == 3 * entry->serial &&
         entry->function(1) == 4 &&
         entry->below == (OWN(_table) == OTHER(_table) ? entry : OTHER(_table)[entry->serial]);
}

/// How many entries are as they were captured.
int OWN(_check)(void)
{
  int good = 0;
  for (const struct entry *entry = OWN(_head); entry; entry = entry->next)
    good += good_entry(entry) && (!entry->next || entry->next->serial == entry->serial - 1);
  return good;
}

/// Change what can be: others that load the image must not see it.
void OWN(_spoil)(void)
{
  for (long i = 0; i < ENTRIES; i++) {
    struct entry *entry = OWN(_table)[i];
    entry->name = realloc(entry->name, 200);
    memset(entry->name, 'x', 200);
    free(entry->name);
    memset(entry, 0xff, sizeof *entry);
    free(entry);
  }
  free(OWN(_table));
  OWN(_head) = NULL;
}
