// SPDX-License-Identifier: MIT
#include "tests/unit/described-graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
  uint16_t length;
  char characters[];
};

/// A part of a node; other nodes point to it.
struct pair {
  uint32_t key;
  struct node *value;
};

enum { EDGES = 3, PAIRS = 2 };

struct node {
  uint32_t id;
  uint8_t kind;  // of `any`: 0 a number, 1 a node
  struct node *edges[EDGES];
  struct pair pairs[PAIRS];
  struct pair *other;  // of some node
  struct node **list;  // list_count of them, and room for more
  int16_t list_count;
  uint64_t list_room;
  uint32_t *numbers;
  uint32_t number_count;
  uint32_t *within;  // numbers of some node
  char *name;
  struct text *text;
  uint64_t marked;  // a node, with a mark in the lowest bit, or an odd number
  union {
    double number;
    struct node *node;
  } any;
  int descriptor;  // not to be kept, with the next
  void *handle;
};

// ---- shapes

static const struct pkgimg_field pair_fields[] = {
    {.name = "key", .kind = PKGIMG_FIELD_DATA, .offset = offsetof(struct pair, key), .repeat = 4},
    {.name = "value",
     .kind = PKGIMG_FIELD_POINTER,
     .offset = offsetof(struct pair, value),
     .shape = &graph_node_shape},
};
static const struct pkgimg_shape pair_shape = {.name = "pair",
                                               .size = sizeof(struct pair),
                                               .alignment = 8,
                                               .fields = pair_fields,
                                               .field_count = 2,
                                               .sparse = 1};

static const struct pkgimg_field node_pointer_fields[] = {
    {.kind = PKGIMG_FIELD_POINTER, .shape = &graph_node_shape},
};
static const struct pkgimg_shape node_pointer_shape = {
    .name = "node pointer", .size = 8, .alignment = 8, .fields = node_pointer_fields, .field_count = 1};

static const struct pkgimg_shape number_shape = {.name = "number", .size = 4, .alignment = 4};

static const struct pkgimg_field text_fields[] = {
    {.name = "length", .kind = PKGIMG_FIELD_DATA, .repeat = 2},
    {.name = "characters",
     .kind = PKGIMG_FIELD_FLEXIBLE,
     .offset = offsetof(struct text, characters),
     .count = {PKGIMG_COUNT_MEMBER(struct text, length), .plus = 1}},
};
static const struct pkgimg_shape text_shape = {.name = "text",
                                               .size = sizeof(struct text),
                                               .alignment = 2,
                                               .fields = text_fields,
                                               .field_count = 2,
                                               .sparse = 1};

static const struct pkgimg_field any_fields[] = {
    {.name = "node", .kind = PKGIMG_FIELD_POINTER, .shape = &graph_node_shape},
};
static const struct pkgimg_shape any_node = {
    .name = "any node", .size = 8, .alignment = 8, .fields = any_fields, .field_count = 1};
static const struct pkgimg_shape any_number = {.name = "any number", .size = 8, .alignment = 8};

static const struct pkgimg_shape *select_any(const void *any)
{
  const struct node *node = (const void *)((const char *)any - offsetof(struct node, any));
  return node->kind == 0 ? &any_number : node->kind == 1 ? &any_node : NULL;
}
static const struct pkgimg_shape any_shape = {.name = "any", .size = 8, .alignment = 8, .select = select_any};

static uint64_t without_mark(uint64_t word)
{
  return word & 4 ? 0 : word & ~1ull;
}

#define AT(member) .name = #member, .offset = offsetof(struct node, member)
#define DATA(member)                                                                                              \
  {                                                                                                               \
    AT(member), .kind = PKGIMG_FIELD_DATA, .repeat = sizeof(((struct node *)0)->member)                           \
  }
static const struct pkgimg_field node_fields[] = {
    DATA(id),
    DATA(kind),
    DATA(list_count),
    DATA(list_room),
    DATA(number_count),
    {AT(edges), .kind = PKGIMG_FIELD_POINTER, .shape = &graph_node_shape, .repeat = EDGES},
    {AT(pairs), .kind = PKGIMG_FIELD_STRUCT, .shape = &pair_shape, .repeat = PAIRS},
    {AT(other), .kind = PKGIMG_FIELD_POINTER, .shape = &pair_shape},
    {AT(list), .kind = PKGIMG_FIELD_POINTER, .shape = &node_pointer_shape,
     .count = PKGIMG_COUNT(struct node, list_count), .room = PKGIMG_COUNT(struct node, list_room)},
    {AT(numbers), .kind = PKGIMG_FIELD_POINTER, .shape = &number_shape,
     .count = PKGIMG_COUNT(struct node, number_count)},
    {AT(within), .kind = PKGIMG_FIELD_REFERENCE},
    {AT(name), .kind = PKGIMG_FIELD_STRING},
    {AT(text), .kind = PKGIMG_FIELD_POINTER, .shape = &text_shape},
    {AT(marked), .kind = PKGIMG_FIELD_POINTER, .shape = &graph_node_shape, .address_of = without_mark},
    {AT(any), .kind = PKGIMG_FIELD_STRUCT, .shape = &any_shape},
    {AT(handle), .kind = PKGIMG_FIELD_NULL},
};
const struct pkgimg_shape graph_node_shape = {.name = "node",
                                              .size = sizeof(struct node),
                                              .alignment = 8,
                                              .fields = node_fields,
                                              .field_count = sizeof node_fields / sizeof *node_fields,
                                              .sparse = 1};

// ---- making

struct world_graph {
  struct node **nodes;
  struct pkgimg_graph_object *objects;  // the nodes
  size_t count;
  uint64_t random, noise;
};

static uint64_t next(uint64_t *state)
{
  uint64_t value = *state += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

static size_t below(struct world_graph *graph, size_t limit)
{
  return next(&graph->random) % limit;
}

// Memory with anything in it, at an address that the noise decides.
static void *allocate(struct world_graph *graph, size_t size)
{
  void *skipped = graph->noise ? malloc(next(&graph->noise) % 200) : NULL;
  uint8_t *memory = malloc(size);
  memset(memory, graph->noise ? (int)next(&graph->noise) : 0xa5, size);
  free(skipped);
  return memory;
}

static struct node *any_of(struct world_graph *graph)
{
  return below(graph, 8) ? graph->nodes[below(graph, graph->count)] : NULL;
}

static void fill_arrays(struct world_graph *graph, struct node *node)
{
  node->number_count = (uint32_t)below(graph, 4);
  node->numbers = node->number_count ? allocate(graph, 4 * node->number_count) : NULL;
  for (uint32_t i = 0; i < node->number_count; i++)
    node->numbers[i] = (uint32_t)next(&graph->random);
  node->list_count = (int16_t)below(graph, 5);
  node->list_room = (uint64_t)node->list_count + below(graph, 3);
  node->list = node->list_room ? allocate(graph, 8 * node->list_room) : NULL;
  for (int i = 0; i < node->list_count; i++)
    node->list[i] = any_of(graph);
}

static void fill_texts(struct world_graph *graph, struct node *node)
{
  char name[32];
  int length = snprintf(name, sizeof name, "node %u", node->id);
  node->name = allocate(graph, (size_t)length + 1);
  memcpy(node->name, name, (size_t)length + 1);
  node->text = allocate(graph, sizeof(struct text) + (size_t)length + 1);
  node->text->length = (uint16_t)length;
  memcpy(node->text->characters, name, (size_t)length + 1);
}

// Some names are shared, some pointers lead into other nodes.
static void fill_links(struct world_graph *graph, struct node *node)
{
  for (int i = 0; i < EDGES; i++)
    node->edges[i] = any_of(graph);
  for (uint32_t i = 0; i < PAIRS; i++) {
    node->pairs[i].key = node->id * 2 + i;
    node->pairs[i].value = any_of(graph);
  }
  struct node *target = any_of(graph);
  node->other = target ? &target->pairs[below(graph, PAIRS)] : NULL;
  target = any_of(graph);
  node->marked = target ? (uint64_t)target | below(graph, 2) : below(graph, 100) * 8 + 4;
  node->kind = (uint8_t)below(graph, 2);
  if (node->kind)
    node->any.node = any_of(graph);
  else
    node->any.number = (double)node->id / 3;
  // Only nodes that an edge leads to surely are captured.
  node->within = node->edges[0] && node->edges[0]->number_count
                     ? node->edges[0]->numbers + node->edges[0]->number_count / 2
                     : NULL;
  node->handle = graph;
  node->descriptor = (int)graph->noise;
}

struct world_graph *graph_make(uint64_t seed, size_t count, uint64_t noise)
{
  struct world_graph *graph = calloc(1, sizeof *graph);
  *graph = (struct world_graph){
      .nodes = calloc(count, sizeof(struct node *)), .count = count, .random = seed, .noise = noise};
  for (size_t i = 0; i < count; i++)
    graph->nodes[i] = allocate(graph, sizeof(struct node));
  for (size_t i = 0; i < count; i++) {
    graph->nodes[i]->id = (uint32_t)i;
    fill_arrays(graph, graph->nodes[i]);
    fill_texts(graph, graph->nodes[i]);
  }
  graph->objects = calloc(count, sizeof *graph->objects);
  for (size_t i = 0; i < count; i++) {
    fill_links(graph, graph->nodes[i]);
    graph->objects[i] = (struct pkgimg_graph_object){.object = graph->nodes[i], .shape = &graph_node_shape};
  }
  return graph;
}

void graph_free(struct world_graph *graph)
{
  for (size_t i = 0; i < graph->count; i++) {
    free(graph->nodes[i]->list);
    free(graph->nodes[i]->numbers);
    free(graph->nodes[i]->name);
    free(graph->nodes[i]->text);
    free(graph->nodes[i]);
  }
  free(graph->objects);
  free(graph->nodes);
  free(graph);
}

const struct pkgimg_graph_object *graph_objects(const struct world_graph *graph)
{
  return graph->objects;
}

void *graph_first(const struct world_graph *graph)
{
  return graph->nodes[0];
}

// ---- comparing

/// What each node of the original has become.
struct comparison {
  const struct world_graph *graph;
  const struct node **copies;  // by id
  uint32_t *queue;
  size_t head, tail;
  bool same;
};

static void expect(struct comparison *comparison, bool holds, const struct node *node, const char *what)
{
  if (!holds && comparison->same)
    fprintf(stderr, "  node %u: %s is not the same\n", node->id, what);
  comparison->same &= holds;
}

// The two must be one object in all places.
static void pair_up(struct comparison *comparison, const struct node *node, const struct node *copy,
                    const struct node *from, const char *what)
{
  expect(comparison, !node == !copy, from, what);
  if (!node || !copy)
    return;
  if (!comparison->copies[node->id]) {
    comparison->copies[node->id] = copy;
    comparison->queue[comparison->tail++] = node->id;
  }
  expect(comparison, comparison->copies[node->id] == copy && copy != node, from, what);
}

static const struct node *node_of_pair(const struct pair *pair, uint32_t key)
{
  return pair ? (const struct node *)(const void *)((const char *)(pair - key % PAIRS) -
                                                    offsetof(struct node, pairs))
              : NULL;
}

static void compare_arrays(struct comparison *work, const struct node *node, const struct node *copy)
{
  expect(work, copy->list_count == node->list_count && copy->list_room == node->list_room, node, "list");
  expect(work, copy->number_count == node->number_count && !copy->numbers == !node->numbers, node, "numbers");
  if (!work->same)
    return;
  if (node->number_count)
    expect(work, memcmp(copy->numbers, node->numbers, 4 * node->number_count) == 0, node, "numbers");
  for (int i = 0; i < node->list_count; i++)
    pair_up(work, node->list[i], copy->list[i], node, "an element of the list");
  for (uint64_t i = (uint64_t)node->list_count; node->list && i < node->list_room; i++)
    expect(work, !copy->list[i], node, "the rest of the list");
  expect(work,
         strcmp(node->name, copy->name) == 0 && strcmp(node->text->characters, copy->text->characters) == 0 &&
             node->text->length == copy->text->length && copy->name != node->name,
         node, "text");
}

static void compare_links(struct comparison *work, const struct node *node, const struct node *copy)
{
  for (int i = 0; i < EDGES; i++)
    pair_up(work, node->edges[i], copy->edges[i], node, "an edge");
  for (int i = 0; i < PAIRS; i++) {
    expect(work, copy->pairs[i].key == node->pairs[i].key, node, "a key");
    pair_up(work, node->pairs[i].value, copy->pairs[i].value, node, "a value");
  }
  expect(work, !node->other == !copy->other && (!node->other || node->other->key == copy->other->key), node,
         "other");
  if (node->other && work->same)
    pair_up(work, node_of_pair(node->other, node->other->key), node_of_pair(copy->other, node->other->key), node,
            "other");
  if (node->within)
    expect(work, copy->within == copy->edges[0]->numbers + copy->edges[0]->number_count / 2, node, "within");
  if (without_mark(node->marked)) {
    expect(work, (node->marked & 7) == (copy->marked & 7), node, "the mark");
    pair_up(work, (const struct node *)without_mark(node->marked), (const struct node *)without_mark(copy->marked),
            node, "marked");
  } else {
    expect(work, node->marked == copy->marked, node, "marked");
  }
  if (node->kind)
    pair_up(work, node->any.node, copy->any.node, node, "any");
  else
    expect(work, node->any.number == copy->any.number, node, "any");
  expect(work, !copy->handle && !copy->descriptor, node, "what is not kept");
}

static int by_address(const void *left, const void *right)
{
  const void *a = *(const void *const *)left, *b = *(const void *const *)right;
  return a < b ? -1 : a > b;
}

// No two nodes have become one.
static void compare_identity(struct comparison *work)
{
  size_t count = 0;
  for (size_t i = 0; i < work->graph->count; i++)
    if (work->copies[i])
      work->copies[count++] = work->copies[i];
  qsort(work->copies, count, sizeof *work->copies, by_address);
  for (size_t i = 1; i < count; i++)
    expect(work, work->copies[i] != work->copies[i - 1], work->copies[i], "identity");
}

bool graph_same(const struct world_graph *graph, const void *first, size_t *found)
{
  struct comparison work = {.graph = graph,
                            .copies = calloc(graph->count + 1, sizeof(struct node *)),
                            .queue = calloc(graph->count + 1, sizeof(uint32_t)),
                            .same = true};
  pair_up(&work, graph->nodes[0], first, graph->nodes[0], "the first node");
  while (work.head < work.tail && work.same) {
    const struct node *node = graph->nodes[work.queue[work.head++]];
    const struct node *copy = work.copies[node->id];
    expect(&work, copy->id == node->id && copy->kind == node->kind, node, "id");
    compare_arrays(&work, node, copy);
    compare_links(&work, node, copy);
  }
  if (work.same)
    compare_identity(&work);
  *found = work.tail;
  free(work.copies);
  free(work.queue);
  return work.same;
}
