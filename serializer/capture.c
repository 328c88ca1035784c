// SPDX-License-Identifier: MIT
#include "serializer/capture.h"

#include "format/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FINDINGS = 16 };

/// Of a FILE (glibc's libio.h).
#define STREAM_MAGIC 0xFBAD0000u
#define STREAM_MASK  0xFFFF0000u

/// In `reached`: the word is in H, not in W.
#define REACHED_IN_HEAP (1ull << 63)

struct work {
  const struct capture_input *input;
  struct capture_result *out;
  struct pkgimg_error *error;
  const uint8_t *heap;  // of the first run
  uint64_t used;        // its bytes
  uint64_t *objects;    // offsets, ascending
  uint64_t *reached;    // by object: the word that led there first, plus 1; 0: nothing yet
  size_t object_count, object_capacity;
  size_t *queue;  // of objects whose words are to be looked at
  size_t queue_head, queue_tail;
};

static uint64_t load64(const uint8_t *at)
{
  uint64_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static void store64(uint8_t *at, uint64_t value)
{
  memcpy(at, &value, sizeof value);
}

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

// The last object that begins at or before an offset; an object's end, up to the next one's beginning, is
// still its own.
static bool find_object(const struct work *work, uint64_t offset, size_t *index)
{
  size_t low = 0, high = work->object_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    *(work->objects[middle] <= offset ? &low : &high) = work->objects[middle] <= offset ? middle + 1 : middle;
  }
  *index = low - 1;
  return low > 0;
}

// ---- words

/// A word, and where it is in each run.
struct word {
  bool in_heap;
  uint64_t place;
  uint64_t values[CAPTURE_RUNS];
};

/// What a word points to.
struct meaning {
  enum captured_kind kind;
  uint32_t image, detail;
  uint64_t addend;
};

static bool same(const uint64_t values[CAPTURE_RUNS])
{
  for (int i = 1; i < CAPTURE_RUNS; i++)
    if (values[i] != values[0])
      return false;
  return true;
}

static const struct snapshot_image *images_of(const struct work *work, int run)
{
  const struct snapshot *snapshot = work->input->runs[run];
  return snapshot_at(snapshot, snapshot->images.offset);
}

// Programs may keep marks in the upper bits of a pointer; they stay in the addend.
static uint64_t address_bits(uint64_t value)
{
  return value & ((1ull << 47) - 1);
}

static bool moved_alike(const uint64_t values[CAPTURE_RUNS], const uint64_t starts[CAPTURE_RUNS], uint64_t size)
{
  if (address_bits(values[0]) - starts[0] > size)
    return false;
  for (int run = 1; run < CAPTURE_RUNS; run++)
    if (values[run] - starts[run] != values[0] - starts[0])
      return false;
  return true;
}

static bool points_into_heap(const struct work *work, const uint64_t values[CAPTURE_RUNS], struct meaning *meaning)
{
  uint64_t starts[CAPTURE_RUNS];
  for (int run = 0; run < CAPTURE_RUNS; run++)
    starts[run] = work->input->runs[run]->heap;
  if (!moved_alike(values, starts, work->used))
    return false;
  *meaning = (struct meaning){.kind = CAPTURED_HEAP,
                              .image = (uint32_t)work->input->image_count - 1,
                              .addend = values[0] - starts[0]};
  return true;
}

static bool points_into_image(const struct work *work, uint32_t image, const uint64_t values[CAPTURE_RUNS],
                              struct meaning *meaning)
{
  const struct capture_input *input = work->input;
  uint64_t bases[CAPTURE_RUNS], heaps[CAPTURE_RUNS];
  for (int run = 0; run < CAPTURE_RUNS; run++) {
    bases[run] = images_of(work, run)[image].base;
    heaps[run] = images_of(work, run)[image].heap;
  }
  *meaning = (struct meaning){.kind = CAPTURED_BASE, .image = image, .addend = values[0] - bases[0]};
  if (moved_alike(values, bases, input->images[image].size)) {
    if (input->clone_at(input->context, image, meaning->addend, &meaning->detail)) {
      meaning->kind = CAPTURED_CLONE;
      meaning->addend = 0;
    }
    return true;
  }
  uint64_t heap_size = images_of(work, 0)[image].heap_size;
  if (!heap_size || !moved_alike(values, heaps, heap_size))
    return false;
  meaning->kind = CAPTURED_HEAP;
  meaning->addend = values[0] - heaps[0];
  return true;
}

static const struct snapshot_symbol *host_symbol(const struct snapshot *snapshot, uint64_t value)
{
  const struct snapshot_symbol *symbols = snapshot_at(snapshot, snapshot->symbols.offset);
  size_t low = 0, high = snapshot->symbols.count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (symbols[middle].value == value)
      return &symbols[middle];
    *(symbols[middle].value < value ? &low : &high) = symbols[middle].value < value ? middle + 1 : middle;
  }
  return NULL;
}

static const char *string_of(const struct snapshot *snapshot, uint32_t offset)
{
  return snapshot_at(snapshot, offset);
}

// The same name in all runs. Runs look at the host's objects in the same order, so the first of several
// names for one value is the same, too.
static bool is_host_symbol(const struct work *work, const uint64_t values[CAPTURE_RUNS], struct meaning *meaning)
{
  const struct snapshot *const *runs = work->input->runs;
  const struct snapshot_symbol *first = host_symbol(runs[0], values[0]);
  if (!first)
    return false;
  for (int run = 1; run < CAPTURE_RUNS; run++) {
    const struct snapshot_symbol *other = host_symbol(runs[run], values[run]);
    if (!other || strcmp(string_of(runs[run], other->name), string_of(runs[0], first->name)) != 0)
      return false;
  }
  const struct snapshot_symbol *symbols = snapshot_at(runs[0], runs[0]->symbols.offset);
  *meaning = (struct meaning){.kind = CAPTURED_HOST, .detail = (uint32_t)(first - symbols)};
  return true;
}

static bool understand(const struct work *work, const uint64_t values[CAPTURE_RUNS], struct meaning *meaning)
{
  if (points_into_heap(work, values, meaning))
    return true;
  for (uint32_t image = (uint32_t)work->input->image_count; image > 0; image--)
    if (points_into_image(work, image - 1, values, meaning))
      return true;
  return is_host_symbol(work, values, meaning);
}

// ---- findings

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

// CAPTURE_DIFFERS: what it is in particular is found out here, as there may be a million more of it.
static enum pkgimg_status add_finding(struct work *work, const struct word *word, enum capture_fault fault,
                                      size_t object)
{
  struct capture_result *out = work->out;
  if (out->finding_count == MOST_FINDINGS) {
    out->findings_left_out++;
    return PKGIMG_OK;
  }
  TRY(array_reserve(&out->findings, &out->finding_capacity, out->finding_count, sizeof *out->findings, work->error));
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
  if (!understand(work, word->values, &meaning))
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
    if (!same(word.values))
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
  return same(word.values) ? PKGIMG_OK : add_finding(work, &word, CAPTURE_DIFFERS, object);
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
    if (!same(word.values))
      TRY(take_word(work, &word, object, &result));
    store64(work->out->heap.data + at, result);
  }
  return at < end ? look_at_tail(work, object, at, end - at) : PKGIMG_OK;
}

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
  return !same(tables) && (!understand(work, tables, &meaning) || meaning.kind == CAPTURED_HOST);
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
  if (!same(word.values))
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
