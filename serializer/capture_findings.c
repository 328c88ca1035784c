// SPDX-License-Identifier: MIT
//
// Words that cannot be captured: what is wrong with them, and how the program comes to them.
#include "serializer/capture_work.h"

#include "format/heap.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_FINDINGS = 16 };

static bool in_maps(const struct snapshot *snapshot, uint64_t value)
{
  const char *text = snapshot_at(snapshot, snapshot->maps.offset), *end = text + snapshot->maps.count;
  while (text < end) {
    char *rest;
    uint64_t from = strtoull(text, &rest, 16), to = *rest == '-' ? strtoull(rest + 1, NULL, 16) : 0;
    if (value >= from && value < to)
      return true;
    const char *line = memchr(text, '\n', (size_t)(end - text));
    text = line ? line + 1 : end;
  }
  return false;
}

static enum capture_fault fault_of(const struct work *work, const struct word *word)
{
  bool stack = true, mapped = true;
  for (int run = 0; run < CAPTURE_RUNS; run++) {
    const struct snapshot *snapshot = work->input->runs[run];
    uint64_t value = address_bits(word->values[run]);
    stack &= value >= snapshot->stack_start && value < snapshot->stack_end;
    mapped &= in_maps(snapshot, value);
  }
  return stack ? CAPTURE_STACK : mapped ? CAPTURE_UNNAMED : CAPTURE_DIFFERS;
}

// The word that led to an object first. false: it is in W.
static bool hop_to(const struct work *work, size_t object, size_t *from, struct capture_hop *hop)
{
  uint64_t place = work->reached[object] - 1;
  if (!(place & REACHED_IN_HEAP)) {
    *hop = (struct capture_hop){.offset = place};
    return false;
  }
  place &= ~REACHED_IN_HEAP;
  find_object(work, place, from);
  *hop = (struct capture_hop){.object = work->objects[*from],
                              .size = heap_object_at(work->heap + work->objects[*from]).size,
                              .offset = place - work->objects[*from]};
  return true;
}

// Followed backwards, twice: to find its length, and to take what is to be shown.
static void find_path(const struct work *work, size_t object, struct capture_path *path)
{
  struct capture_hop hop;
  size_t length = 1, from = object;
  while (hop_to(work, from, &from, &hop))
    length++;
  path->count = length < CAPTURE_MOST_HOPS ? length : CAPTURE_MOST_HOPS;
  path->left_out = length - path->count;
  for (size_t left = length; left > 0; left--) {
    hop_to(work, object, &object, &hop);
    if (left > length - CAPTURE_MOST_HOPS / 2 || length <= CAPTURE_MOST_HOPS)
      path->hops[left - 1 - path->left_out] = hop;
    else if (left <= CAPTURE_MOST_HOPS / 2)
      path->hops[left - 1] = hop;
  }
}

enum pkgimg_status add_finding(struct work *work, const struct word *word, enum capture_fault fault, size_t object)
{
  struct capture_result *out = work->out;
  if (out->finding_count == MOST_FINDINGS) {
    out->findings_left_out++;
    return PKGIMG_OK;
  }
  TRY(array_reserve(&out->findings, &out->finding_capacity, out->finding_count, sizeof *out->findings,
                    work->error));
  struct capture_finding *finding = &out->findings[out->finding_count++];
  if (fault == CAPTURE_DIFFERS)
    fault = fault_of(work, word);
  *finding = (struct capture_finding){.fault = fault, .in_heap = word->in_heap, .place = word->place};
  memcpy(finding->values, word->values, sizeof finding->values);
  if (word->in_heap) {
    finding->object = work->objects[object];
    finding->object_size = heap_object_at(work->heap + finding->object).size;
    find_path(work, object, &finding->path);
  }
  return PKGIMG_OK;
}
