// SPDX-License-Identifier: MIT
// Random graphs of objects, captured, and built once more from the same seeds in the process that compares: node by
// node, each pointer with where it has to lead. -DSEED begins the series.
#include "graph-library.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SEED
#define SEED 1
#endif

enum { GRAPHS = 12, MOST = 2000 };

// ---- where a pointer leads, and how to say so in every process

enum target { TO_NOTHING, TO_NODE, TO_OWN, TO_LIBRARY, TO_HOST, TO_TEXT, TARGETS };

struct link {
  uintptr_t pointer;  // with marks in its lowest and highest bits
  uint32_t target, node, offset, marks;
};

struct node {
  uint32_t serial, link_count, byte_count, how;
  union {
    double number;
    int64_t integer;
    void *self;
  } value;
  char *text;  // NULL in some
  struct link links[];
  // bytes follow
};

static long own_numbers[32] = {5, 6};
static long own_zeros[32];
static const char *const literals[] = {"one", "two", "three and more"};

static int own_function(int number)
{
  return number + 1;
}

// Worth a body for each processor.
double own_sum(const double *numbers, int count)
{
  double sum = 1;
  for (int i = 0; i < count; i++)
    sum += numbers[i] * numbers[i];
  return sum;
}

static uintptr_t address_of(const struct link *link, struct node *const *nodes)
{
  const uintptr_t own[] = {(uintptr_t)own_function,     (uintptr_t)own_sum,          (uintptr_t)own_numbers,
                           (uintptr_t)(own_zeros + 31), (uintptr_t)(own_zeros + 32), (uintptr_t)literals};
  const uintptr_t library[] = {(uintptr_t)library_add, (uintptr_t)library_sum, (uintptr_t)(library_numbers + 7),
                               (uintptr_t)(library_numbers + 64), (uintptr_t)(library_text + 5)};
  const uintptr_t host[] = {(uintptr_t)strlen, (uintptr_t)malloc, (uintptr_t)qsort, (uintptr_t)&stdout,
                            (uintptr_t)getppid, (uintptr_t)isalpha, (uintptr_t)&environ};
  switch (link->target) {
  case TO_NODE:
    return (uintptr_t)nodes[link->node] + link->offset;
  case TO_OWN:
    return own[link->offset % 6];
  case TO_LIBRARY:
    return library[link->offset % 5];
  case TO_HOST:
    return host[link->offset % 7];
  case TO_TEXT:
    return (uintptr_t)literals[link->offset % 3];
  default:
    return 0;
  }
}

// Lowest three bits where the target is a node's first byte, and the highest 16 of any pointer into the graph.
static uintptr_t marked(const struct link *link, uintptr_t address)
{
  if (link->target != TO_NODE)
    return address;
  uintptr_t low = link->offset == 0 ? link->marks & 7 : 0;
  return address | low | (uintptr_t)(link->marks >> 8 & 0xffff) << 48;
}

// ---- random numbers: SplitMix64

static uint64_t state;

static uint64_t draw(uint64_t limit)
{
  uint64_t value = state += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return (value ^ value >> 31) % limit;
}

// ---- building

static size_t size_of(uint32_t links, uint32_t bytes)
{
  return sizeof(struct node) + links * sizeof(struct link) + bytes;
}

static uint8_t *bytes_of(struct node *node)
{
  return (uint8_t *)(node->links + node->link_count);
}

// By each function that gives memory. Some leave garbage behind on the way.
static void *allocate(uint32_t how, size_t size)
{
  void *memory = NULL;
  switch (how) {
  case 0:
    return calloc(1, size);
  case 1:
    return realloc(malloc(size / 2 + 1), size);
  case 2:
    return reallocarray(NULL, 1, size);
  case 3:
    return posix_memalign(&memory, 64, size) == 0 ? memory : NULL;
  case 4:
    return aligned_alloc(4096, (size + 4095) & ~(size_t)4095);
  case 5:
    free(malloc(size));
    return malloc(size);
  default:
    return malloc(size);
  }
}

static struct node *make_node(uint32_t serial)
{
  uint32_t links = (uint32_t)draw(6), bytes = (uint32_t)(draw(20) ? draw(60) : draw(5000)), how = (uint32_t)draw(12);
  struct node *node = allocate(how, size_of(links, bytes));
  if (!node)
    abort();
  memset(node, 0, size_of(links, bytes));
  *node = (struct node){.serial = serial, .link_count = links, .byte_count = bytes, .how = how};
  for (uint32_t i = 0; i < bytes; i++)
    bytes_of(node)[i] = (uint8_t)draw(256);
  if (draw(2) && asprintf(&node->text, "text %u of %u bytes", serial, bytes) < 0)
    abort();
  switch (serial % 3) {
  case 0:
    node->value.number = (double)draw(1 << 20) / 3;
    break;
  case 1:
    node->value.integer = -(int64_t)draw(1ull << 60);
    break;
  default:
    node->value.self = node;
  }
  return node;
}

static struct link make_link(struct node *const *nodes, uint32_t count)
{
  struct link link = {.target = draw(3) ? TO_NODE : (uint32_t)draw(TARGETS),
                      .node = (uint32_t)draw(count),
                      .offset = (uint32_t)draw(1000),
                      .marks = (uint32_t)draw(1 << 24)};
  if (link.target == TO_NODE) {
    uint32_t size = (uint32_t)size_of(nodes[link.node]->link_count, nodes[link.node]->byte_count);
    link.offset = draw(2) ? 0 : draw(4) ? (uint32_t)draw(size) : size;  // also one past the end
    link.marks = draw(2) ? link.marks : 0;
  }
  link.pointer = marked(&link, address_of(&link, nodes));
  return link;
}

// Cycles and sharing come by themselves: any node may link to any.
static struct node **build(uint64_t seed, uint32_t *count)
{
  state = seed;
  *count = 1 + (uint32_t)draw(MOST);
  struct node **nodes = calloc(*count, sizeof(struct node *));
  if (!nodes)
    abort();
  for (uint32_t i = 0; i < *count; i++)
    nodes[i] = make_node(i);
  for (uint32_t i = 0; i < *count; i++)
    for (uint32_t j = 0; j < nodes[i]->link_count; j++)
      nodes[i]->links[j] = make_link(nodes, *count);
  return nodes;
}

// ---- what is captured: graphs with a table of their nodes, and graphs that hang from one node

static struct node **tables[GRAPHS];
static struct node *tops[GRAPHS];
static struct link fixed[GRAPHS][8];

void precompile(void)
{
  for (uint64_t i = 0; i < GRAPHS; i++) {
    uint32_t count;
    struct node **nodes = build(SEED + i, &count);
    for (int j = 0; j < 8; j++)
      fixed[i][j] = make_link(nodes, count);
    if (i % 2 == 0) {
      tables[i] = nodes;
      continue;
    }
    tops[i] = nodes[0];
    free(nodes);
    // What only the table led to is dropped, or is led to by `fixed`.
  }
}

// ---- comparing

static unsigned long failures, compared;

static void check(int holds, const char *what, uint64_t graph, uint32_t node)
{
  if (!holds && failures++ < 20)
    printf("graph %lu, node %u: %s\n", (unsigned long)graph, node, what);
}

static struct node *begin_of(const struct link *link)
{
  uintptr_t low = link->offset == 0 ? link->marks & 7 : 0;
  return (struct node *)((link->pointer & 0xffffffffffff) - link->offset - low);
}

// Follow links, and fill in the table.
static void discover(struct node **found, struct node **queue, const struct link *links, uint32_t count,
                     uint32_t *queued, uint32_t limit)
{
  for (uint32_t i = 0; i < count; i++) {
    if (links[i].target != TO_NODE || links[i].node >= limit || found[links[i].node])
      continue;
    found[links[i].node] = begin_of(&links[i]);
    queue[(*queued)++] = found[links[i].node];
  }
}

static struct node **discover_all(uint64_t graph, uint32_t count)
{
  struct node **found = calloc(count, sizeof(struct node *)), **queue = calloc(count + 1u, sizeof(struct node *));
  uint32_t queued = 0;
  if (!found || !queue)
    abort();
  queue[queued++] = found[0] = tops[graph];
  discover(found, queue, fixed[graph], 8, &queued, count);
  for (uint32_t i = 0; i < queued; i++)
    discover(found, queue, queue[i]->links, queue[i]->link_count, &queued, count);
  free(queue);
  return found;
}

static void compare_links(uint64_t graph, uint32_t serial, const struct link *captured, const struct link *fresh,
                          struct node *const *nodes)
{
  check(captured->target == fresh->target && captured->node == fresh->node && captured->offset == fresh->offset &&
            captured->marks == fresh->marks,
        "another link", graph, serial);
  if (captured->target != TO_NODE || nodes[captured->node])
    check(captured->pointer == marked(captured, address_of(captured, nodes)), "a link leads elsewhere", graph, serial);
}

static void compare_nodes(uint64_t graph, uint32_t serial, struct node *captured, struct node *fresh,
                          struct node *const *nodes)
{
  compared++;
  check(captured->serial == serial && captured->link_count == fresh->link_count &&
            captured->byte_count == fresh->byte_count,
        "another node", graph, serial);
  if (failures)
    return;
  check(memcmp(bytes_of(captured), bytes_of(fresh), fresh->byte_count) == 0, "other bytes", graph, serial);
  check(!captured->text == !fresh->text && (!fresh->text || strcmp(captured->text, fresh->text) == 0), "another text",
        graph, serial);
  check(serial % 3 == 2 ? captured->value.self == captured : captured->value.integer == fresh->value.integer,
        "another value", graph, serial);
  check(captured->how != 3 || (uintptr_t)captured % 64 == 0, "another alignment than 64", graph, serial);
  check(captured->how != 4 || (uintptr_t)captured % 4096 == 0, "another alignment than 4096", graph, serial);
  for (uint32_t i = 0; i < fresh->link_count; i++)
    compare_links(graph, serial, &captured->links[i], &fresh->links[i], nodes);
}

static void compare_graphs(uint64_t graph)
{
  uint32_t count;
  struct node **fresh = build(SEED + graph, &count);
  struct link links[8];
  for (int j = 0; j < 8; j++)
    links[j] = make_link(fresh, count);
  struct node **nodes = graph % 2 == 0 ? tables[graph] : discover_all(graph, count);
  for (uint32_t i = 0; i < count && !failures; i++)
    if (nodes[i])
      compare_nodes(graph, i, nodes[i], fresh[i], nodes);
  for (int j = 0; j < 8; j++)
    compare_links(graph, 0, &fixed[graph][j], &links[j], nodes);
  // The captured ones may be changed and given back.
  for (uint32_t i = 0; i < count; i++)
    if (nodes[i]) {
      free(nodes[i]->text);
      memset(nodes[i], 0xff, sizeof(struct node));
      free(nodes[i]);
    }
}

int main(void)
{
  own_zeros[0] = own_function(library_add(0) > 0);
  for (uint64_t i = 0; i < GRAPHS; i++)
    compare_graphs(i);
  printf("%lu nodes compared, %lu failures\n", compared, failures);
  return failures || compared < 1000;
}
