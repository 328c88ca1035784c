// SPDX-License-Identifier: MIT
#include "serializer/capture.h"

#include "base/words.h"
#include "format/heap.h"
#include "serializer/capture_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- objects

static enum pkgimg_status list_objects(struct work *work)
{
  for (uint64_t at = FORMAT_HEAP_FIRST; at < work->used;) {
    struct heap_object object = heap_object_at(work->heap + at);
    if (object.span < 16 || object.span > work->used - at)
      return fail(work->error, PKGIMG_CAPTURE, work->input->name,
                  "the initialisation wrote over the heap's structure at offset 0x%llx", (unsigned long long)at);
    TRY(array_reserve(&work->objects, &work->object_capacity, work->object_count, sizeof *work->objects,
                      work->error));
    work->objects[work->object_count++] = at;
    at += object.span;
  }
  work->reached = calloc(work->object_count + 1, sizeof *work->reached);
  work->queue = calloc(work->object_count + 1, sizeof *work->queue);
  if (!work->reached || !work->queue)
    return fail_memory(work->error, work->object_count * sizeof *work->reached);
  return PKGIMG_OK;
}

bool find_object(const struct work *work, uint64_t offset, size_t *index)
{
  size_t low = 0, high = work->object_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    *(work->objects[middle] <= offset ? &low : &high) = work->objects[middle] <= offset ? middle + 1 : middle;
  }
  *index = low - 1;
  return low > 0;
}

// ---- the walk

static void reach(struct work *work, uint64_t offset, const struct word *from)
{
  size_t object;
  if (!find_object(work, offset, &object) || work->reached[object])
    return;
  work->reached[object] = (from->place | (from->in_heap ? REACHED_IN_HEAP : 0)) + 1;
  work->queue[work->queue_tail++] = object;
}

static bool is_live(const struct work *work, uint64_t offset)
{
  size_t object;
  return find_object(work, offset, &object) && heap_object_at(work->heap + work->objects[object]).live;
}

static enum pkgimg_status add_site(struct work *work, const struct word *word, const struct meaning *meaning)
{
  struct capture_result *out = work->out;
  TRY(array_reserve(&out->sites, &out->site_capacity, out->site_count, sizeof *out->sites, work->error));
  out->sites[out->site_count++] =
      (struct capture_site){.word = (uint32_t)(word->place / 8),
                            .universe = word->in_heap ? CAPTURED_IN_HEAP : CAPTURED_IN_DATA,
                            .kind = (uint16_t)meaning->kind,
                            .image = meaning->image,
                            .detail = meaning->detail};
  return PKGIMG_OK;
}

// A word that is not the same in all runs. `result` receives what the file will hold there.
static enum pkgimg_status take_word(struct work *work, const struct word *word, size_t object, uint64_t *result)
{
  struct meaning meaning;
  *result = 0;
  if (!find_meaning(work, word->values, &meaning))
    return add_finding(work, word, CAPTURE_DIFFERS, object);
  bool own_heap = meaning.kind == CAPTURED_HEAP && meaning.image + 1 == work->input->image_count;
  uint64_t offset = address_bits(word->values[0]) - work->input->runs[0]->heap;
  // A pointer to a freed object stays one. It cannot become null: the low bytes of the word may be in use
  // again, as something else.
  if (own_heap && is_live(work, offset))
    reach(work, offset, word);
  else if (own_heap)
    work->out->dangling++;
  *result = meaning.addend;
  return add_site(work, word, &meaning);
}

static const uint8_t *data_of(const struct work *work, int run, bool after)
{
  const struct snapshot *snapshot = work->input->runs[run];
  return snapshot_at(snapshot, after ? snapshot->after.offset : snapshot->before.offset);
}

// W: what is as the loader left it stays as the linker made it.
static enum pkgimg_status look_at_data(struct work *work)
{
  struct capture_result *out = work->out;
  for (uint64_t at = 0; at + 8 <= work->input->data_size; at += 8) {
    struct word word = {.place = at};
    bool changed = false;
    for (int run = 0; run < CAPTURE_RUNS; run++) {
      word.values[run] = load64(data_of(work, run, true) + at);
      changed |= word.values[run] != load64(data_of(work, run, false) + at);
    }
    if (!changed)
      continue;
    uint64_t result = word.values[0];
    if (!same_in_all_runs(word.values))
      TRY(take_word(work, &word, 0, &result));
    out->changed[at / 8] = true;
    store64(out->data.data + at, result);
  }
  return PKGIMG_OK;
}

// The bytes behind the last whole word, as a word.
static uint64_t load_tail(const uint8_t *at, uint64_t size)
{
  uint64_t value = 0;
  memcpy(&value, at, size);
  return value;
}

static enum pkgimg_status look_at_tail(struct work *work, size_t object, uint64_t at, uint64_t size)
{
  struct word word = {.in_heap = true, .place = at};
  for (int run = 0; run < CAPTURE_RUNS; run++)
    word.values[run] = load_tail(work->input->heaps[run] + at, size);
  memcpy(work->out->heap.data + at, &word.values[0], size);
  return same_in_all_runs(word.values) ? PKGIMG_OK : add_finding(work, &word, CAPTURE_DIFFERS, object);
}

static bool same_bytes(const struct work *work, uint64_t at, uint64_t size)
{
  for (int run = 1; run < CAPTURE_RUNS; run++)
    if (memcmp(work->input->heaps[run] + at, work->heap + at, size) != 0)
      return false;
  return true;
}

static enum pkgimg_status look_at_words(struct work *work, size_t object, uint64_t at, uint64_t end)
{
  for (; at + 8 <= end; at += 8) {
    struct word word = {.in_heap = true, .place = at};
    for (int run = 0; run < CAPTURE_RUNS; run++)
      word.values[run] = load64(work->input->heaps[run] + at);
    uint64_t result = word.values[0];
    if (!same_in_all_runs(word.values))
      TRY(take_word(work, &word, object, &result));
    store64(work->out->heap.data + at, result);
  }
  return at < end ? look_at_tail(work, object, at, end - at) : PKGIMG_OK;
}

/// Of a FILE (glibc's libio.h).
#define STREAM_MAGIC 0xFBAD0000u
#define STREAM_MASK  0xFFFF0000u

// glibc begins a FILE with _IO_MAGIC in the upper half of its flags, and has its table of functions behind it, in
// memory of the host.
static bool is_stream(const struct work *work, uint64_t at, uint64_t size)
{
  struct meaning meaning;
  uint64_t tables[CAPTURE_RUNS];
  for (int run = 0; run < CAPTURE_RUNS; run++) {
    uint32_t flags;
    if (size < sizeof(FILE) + sizeof(void *))
      return false;
    memcpy(&flags, work->input->heaps[run] + at, sizeof flags);
    if ((flags & STREAM_MASK) != STREAM_MAGIC)
      return false;
    tables[run] = load64(work->input->heaps[run] + at + sizeof(FILE));
  }
  return !same_in_all_runs(tables) && (!find_meaning(work, tables, &meaning) || meaning.kind == CAPTURED_HOST);
}

static enum pkgimg_status refuse_stream(struct work *work, size_t index)
{
  uint64_t at = work->objects[index];
  struct word word = {.in_heap = true, .place = at};
  for (int run = 0; run < CAPTURE_RUNS; run++) {
    int descriptor;
    memcpy(&descriptor, work->input->heaps[run] + at + offsetof(FILE, _fileno), sizeof descriptor);
    word.values[run] = (uint64_t)(int64_t)descriptor;
  }
  return add_finding(work, &word, CAPTURE_STREAM, index);
}

static enum pkgimg_status look_at_object(struct work *work, size_t index)
{
  enum { BLOCK = 512 };
  uint64_t at = work->objects[index];
  struct heap_object object = heap_object_at(work->heap + at);
  struct word word = {.in_heap = true, .place = at - 8};
  for (int run = 0; run < CAPTURE_RUNS; run++)
    word.values[run] = at <= work->input->runs[run]->heap_used ? load64(work->input->heaps[run] + at - 8) : 0;
  if (!same_in_all_runs(word.values))
    return add_finding(work, &word, CAPTURE_LAYOUT, index);
  if (is_stream(work, at, object.size))
    return refuse_stream(work, index);
  work->out->objects++;
  work->out->object_bytes += object.size;
  store64(work->out->heap.data + at - 8, word.values[0]);
  for (uint64_t done = 0; done < object.size; done += BLOCK) {
    uint64_t size = object.size - done < BLOCK ? object.size - done : BLOCK;
    if (same_bytes(work, at + done, size))
      memcpy(work->out->heap.data + at + done, work->heap + at + done, size);
    else
      TRY(look_at_words(work, index, at + done, at + done + size));
  }
  return PKGIMG_OK;
}

// The words with which the end of the process is to begin lead to their array.
static void reach_exits(struct work *work)
{
  const struct snapshot *run = work->input->runs[0];
  if (run->exit_count)
    reach(work, run->exits - run->heap, &(struct word){.place = work->input->data_size});
}

// ---- the result

static void count_dropped(struct work *work)
{
  for (size_t i = 0; i < work->object_count; i++) {
    struct heap_object object = heap_object_at(work->heap + work->objects[i]);
    if (work->reached[i])
      continue;
    // What nothing leads to stays as a gap, so that nothing else moves.
    object.live = false;
    work->out->dropped += heap_object_at(work->heap + work->objects[i]).live;
    work->out->dropped_bytes += heap_object_at(work->heap + work->objects[i]).live ? object.size : 0;
    store64(work->out->heap.data + work->objects[i] - 8, heap_word(&object));
  }
}

// Up to the end of the last object that is kept.
static void cut_heap(struct work *work)
{
  uint64_t end = 0;
  for (size_t i = 0; i < work->object_count; i++)
    if (work->reached[i])
      end = work->objects[i] + heap_object_at(work->heap + work->objects[i]).span;
  work->out->heap.size = (end + FORMAT_PAGE - 1) & ~(FORMAT_PAGE - 1ull);
}

static int by_word(const void *left, const void *right)
{
  const struct capture_site *a = left, *b = right;
  if (a->universe != b->universe)
    return a->universe < b->universe ? -1 : 1;
  return a->word < b->word ? -1 : a->word > b->word;
}

// Sites are words of the file, also those that hold 0 there: symbols of the host, clones.
static void cut_data(struct capture_result *out)
{
  size_t size = out->data.size, least = 0;
  for (size_t i = 0; i < out->site_count && out->sites[i].universe == CAPTURED_IN_DATA; i++)
    least = 8ull * (out->sites[i].word + 1ull);
  while (size > least && out->data.data[size - 1] == 0)
    size--;
  out->data.size = (size + 7) & ~7ull;
}

static enum pkgimg_status walk(struct work *work)
{
  struct capture_result *out = work->out;
  uint64_t room = (work->used + FORMAT_PAGE) & ~(FORMAT_PAGE - 1ull);
  TRY(list_objects(work));
  struct span linked = work->input->data;
  TRY(buffer_append(&out->data, linked.data, linked.size, work->error));
  TRY(buffer_append(&out->data, NULL, work->input->data_size - linked.size, work->error));
  TRY(buffer_append(&out->heap, NULL, room, work->error));
  out->changed = calloc(work->input->data_size / 8 + 1, sizeof *out->changed);
  if (!out->changed)
    return fail_memory(work->error, work->input->data_size / 8);
  TRY(look_at_data(work));
  reach_exits(work);
  while (work->queue_head < work->queue_tail)
    TRY(look_at_object(work, work->queue[work->queue_head++]));
  count_dropped(work);
  cut_heap(work);
  if (out->site_count)
    qsort(out->sites, out->site_count, sizeof *out->sites, by_word);
  cut_data(out);
  return PKGIMG_OK;
}

static void work_deinit(struct work *work)
{
  free(work->objects);
  free(work->reached);
  free(work->queue);
}

enum pkgimg_status capture_compare(const struct capture_input *input, struct capture_result *result,
                                   struct pkgimg_error *error)
{
  struct work work AUTO(work_deinit) = {.input = input,
                                        .out = result,
                                        .error = error,
                                        .heap = input->heaps[0],
                                        .used = input->runs[0]->heap_used};
  return walk(&work);
}

void capture_result_deinit(struct capture_result *result)
{
  buffer_deinit(&result->data);
  buffer_deinit(&result->heap);
  free(result->changed);
  free(result->sites);
  free(result->findings);
  *result = (struct capture_result){0};
}
