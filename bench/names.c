// SPDX-License-Identifier: MIT
//
// The names of generated packages and who depends on whom. Symbols look like mangled C++ names of the length that
// a large service has (median 52 characters), since the length is part of what a lookup by name costs.
#include "bench/generate.h"
#include "bench/random.h"

#include <stdarg.h>
#include <string.h>

static const char *const words[] = {
    "access",  "adapter",  "audio",    "buffer",  "cache",    "channel",  "client",   "codec",
    "config",  "control",  "device",   "display", "dispatch", "encoder",  "engine",   "event",
    "factory", "filter",   "frame",    "graph",   "handler",  "index",    "input",    "layer",
    "layout",  "listener", "loader",   "manager", "media",    "memory",   "message",  "metrics",
    "network", "observer", "output",   "packet",  "pipeline", "policy",   "provider", "queue",
    "reader",  "record",   "registry", "render",  "request",  "resource", "sampler",  "schedule",
    "screen",  "sensor",   "server",   "session", "signal",   "socket",   "state",    "storage",
    "stream",  "surface",  "table",    "thread",  "tracker",  "update",   "window",   "writer"};
enum { WORDS = sizeof words / sizeof words[0] };

// Bits of one hash, handed out a few at a time.
struct dice {
  uint64_t bits;
};

static unsigned roll(struct dice *dice, unsigned sides)
{
  unsigned value = (unsigned)(dice->bits % sides);
  dice->bits = dice->bits / sides + (dice->bits << 48);
  return value;
}

static void append(char name[GENERATE_NAME], const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char name[GENERATE_NAME], const char *format, ...)
{
  size_t used = strlen(name);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(name + used, GENERATE_NAME - used, format, arguments);
  va_end(arguments);
}

// `count` words, written togetherLikeThis.
static void append_words(char text[GENERATE_NAME], struct dice *dice, unsigned count)
{
  for (unsigned i = 0; i < count; i++) {
    const char *word = words[roll(dice, WORDS)];
    append(text, "%c%s", i ? word[0] - 'a' + 'A' : word[0], word + 1);
  }
}

// A part of a mangled name: its length, then itself.
static void append_part(char name[GENERATE_NAME], const char *part)
{
  append(name, "%zu%s", strlen(part), part);
}

void generate_package_name(unsigned package, char name[GENERATE_NAME])
{
  snprintf(name, GENERATE_NAME, "part%03u", package);
}

void generate_entry_name(unsigned package, char name[GENERATE_NAME])
{
  char part[GENERATE_NAME];
  generate_package_name(package, part);
  snprintf(name, GENERATE_NAME, "_ZN");
  append_part(name, part);
  append(name, "5entryEm");
}

void generate_function_name(const struct shape *shape, unsigned package, unsigned function,
                            char name[GENERATE_NAME])
{
  struct dice dice = {random_of(shape->seed, 'n', package, function)};
  char part[GENERATE_NAME];
  generate_package_name(package, part);
  snprintf(name, GENERATE_NAME, "_ZN");
  append_part(name, part);
  part[0] = 0;
  append_words(part, &dice, 1 + roll(&dice, 3));
  part[0] = (char)(part[0] - 'a' + 'A');
  append_part(name, part);
  part[0] = 0;
  append_words(part, &dice, 2 + roll(&dice, 3));
  append(part, "%u", function);
  append_part(name, part);
  append(name, "Emj");
}

bool generate_function_exported(unsigned function)
{
  return function % 5 != 4;
}

// As many lanes as a package has dependencies, but few packages still make a graph that is deeper than one step.
static unsigned lanes(const struct shape *shape)
{
  unsigned most = shape->packages > 2 ? (shape->packages - 1) / 2 : 1;
  return shape->dependencies < most ? shape->dependencies : most;
}

const char *generate_refuses(const struct shape *shape)
{
  if (!shape->packages || (!shape->functions && !shape->service))
    return "at least one package and one function are needed";
  if (shape->packages > 1 && !shape->dependencies)
    return "several packages need at least one dependency each";
  if (shape->dependencies > GENERATE_DEPENDENCIES)
    return "more than 64 dependencies";
  if (shape->host_imports > GENERATE_HOST_IMPORTS)
    return "more than 44 host imports";
  return NULL;
}

static bool listed(const unsigned *list, unsigned count, unsigned package)
{
  for (unsigned i = 0; i < count; i++)
    if (list[i] == package)
      return true;
  return false;
}

unsigned generate_dependencies(const struct shape *shape, unsigned package, unsigned list[GENERATE_DEPENDENCIES])
{
  unsigned lane = lanes(shape), count = 0;
  if (shape->packages == 1 || package < (package + 1 == shape->packages ? 1 : lane))
    return 0;
  if (package + 1 == shape->packages) {
    for (; count < lane; count++)
      list[count] = package - 1 - count;
    return count;
  }
  list[count++] = package - lane;
  unsigned room = package - lane + 1;
  for (unsigned draw = 0; count < shape->dependencies && count < room; draw++) {
    unsigned candidate = (unsigned)(random_of(shape->seed, 'd', package, draw) % room);
    if (!listed(list, count, candidate))
      list[count++] = candidate;
  }
  return count;
}
