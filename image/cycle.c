// SPDX-License-Identifier: MIT
#include "image/cycle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// The members between an image and itself, found depth first.
struct walk {
  const struct cycle_search *search;
  const uint8_t *goal;
  bool *visited;
  uint32_t *ring;  // members on the way, the last first
  uint32_t length;
};

// `count` is the image itself, one more is none.
static uint32_t member_of(const struct cycle_search *search, const uint8_t build_id[16])
{
  uint32_t i = 0;
  while (i < search->count && memcmp(search->entries[i].geometry.build_id, build_id, 16) != 0)
    i++;
  return i == search->count && memcmp(search->build_id, build_id, 16) != 0 ? i + 1 : i;
}

static bool reaches_goal(struct walk *walk, uint32_t member)
{
  uint8_t *ids = NULL;
  uint32_t count = 0;
  if (member > walk->search->count || walk->visited[member])
    return false;
  walk->visited[member] = true;
  bool found = false;
  if (walk->search->dependencies(walk->search->context, member, &ids, &count))
    for (uint32_t i = 0; i < count && !found; i++)
      found =
          memcmp(ids + 16 * i, walk->goal, 16) == 0 || reaches_goal(walk, member_of(walk->search, ids + 16 * i));
  free(ids);
  if (found)
    walk->ring[walk->length++] = member;
  return found;
}

static const char *name_of(const struct cycle_search *search, uint32_t member)
{
  return member == search->count ? search->name : search->strings + search->entries[member].name;
}

static enum pkgimg_status report_ring(const struct walk *walk, const char *name, struct pkgimg_error *error)
{
  const struct cycle_search *search = walk->search;
  char text[512];
  int at = snprintf(text, sizeof text, "%s", name);
  for (uint32_t i = walk->length; i > 0 && at < (int)sizeof text; i--)
    at += snprintf(text + at, sizeof text - (size_t)at, " -> %s", name_of(search, walk->ring[i - 1]));
  return fail_name(error, PKGIMG_CYCLE, search->path, name, "dependencies form a ring: %s -> %s", text, name);
}

enum pkgimg_status cycle_explain(const struct cycle_search *search, const char *name, const uint8_t build_id[16],
                                 const char *wanted, const uint8_t wanted_id[16], struct pkgimg_error *error)
{
  struct walk walk = {.search = search, .goal = build_id};
  if (memcmp(build_id, wanted_id, 16) == 0)
    return report_ring(&walk, name, error);
  uint32_t member = member_of(search, wanted_id);
  if (member > search->count)
    return fail_name(error, PKGIMG_MALFORMED, search->path, name, "needs %s (%s), which the closure lacks", wanted,
                     hex_id(wanted_id).text);
  walk.visited = calloc(search->count + 1u, sizeof *walk.visited);
  walk.ring = calloc(search->count + 1u, sizeof *walk.ring);
  enum pkgimg_status status;
  if (!walk.visited || !walk.ring)
    status = fail_memory(error, search->count * sizeof *walk.ring);
  else if (reaches_goal(&walk, member))
    status = report_ring(&walk, name, error);
  else
    status = fail_name(error, PKGIMG_MALFORMED, search->path, name,
                       "stands before its dependency %s in the closure", wanted);
  free(walk.visited);
  free(walk.ring);
  return status;
}
