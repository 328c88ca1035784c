// SPDX-License-Identifier: MIT
#include "tests/unit/events.h"

#include "tests/unit/check.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char events[4096], taken[2][4096];

void unit_log(const char *event)
{
  pthread_mutex_lock(&lock);
  size_t length = strlen(events);
  snprintf(events + length, sizeof events - length, "%s%s", length ? "; " : "", event);
  pthread_mutex_unlock(&lock);
}

const char *events_take(void)
{
  static int turn;
  pthread_mutex_lock(&lock);
  char *text = taken[turn = !turn];
  memcpy(text, events, sizeof events);
  events[0] = 0;
  pthread_mutex_unlock(&lock);
  return text;
}

void expect_events(const char *expected)
{
  const char *found = events_take();
  if (!CHECK(strcmp(found, expected) == 0))
    fprintf(stderr, "  expected: %s\n  found:    %s\n", expected, found);
}
