// SPDX-License-Identifier: MIT
//
// Graphs that cannot be captured, and descriptions that contradict themselves: each is refused with the way to the
// word, and nothing is written.
#include "tests/unit/check.h"
#include "tests/unit/package.h"
#include "tests/unit/world.h"

#include <unistd.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;

static void refuse_package(struct package package, enum pkgimg_status status, const char *text)
{
  char file[64];
  snprintf(file, sizeof file, "%s.so", package.name);
  CHECK_STATUS(package_build(package, &error), status, &error);
  if (!CHECK(strstr(error.text, text) != NULL))
    fprintf(stderr, "  expected: %s\n  found:    %s\n", text, error.text);
  CHECK(access(scratch_path(file), F_OK) != 0);
}

static void refuse(const struct pkgimg_graph *graph, enum pkgimg_status status, const char *text)
{
  refuse_package((struct package){.name = "never", .graph = graph}, status, text);
}

// ---- objects

struct item;
struct entry {
  struct item *item;
  struct entry *next;
};
struct item {
  struct entry *entries;
  int32_t count;
  uint32_t room;
  void *any;
  void (*function)(void);
  uint8_t *bytes;
  uint64_t byte_count;
  uint64_t forgotten;
};

static const struct pkgimg_shape entry_shape, item_shape;
#define AT(struct_, member) .name = #member, .offset = offsetof(struct struct_, member)
static const struct pkgimg_field entry_fields[] = {
    {AT(entry, item), .kind = PKGIMG_FIELD_POINTER, .shape = &item_shape},
    {AT(entry, next), .kind = PKGIMG_FIELD_REFERENCE},
};
static const struct pkgimg_shape entry_shape = {
    .name = "entry", .size = sizeof(struct entry), .alignment = 8, .fields = entry_fields, .field_count = 2};
static const struct pkgimg_field item_fields[] = {
    {AT(item, entries), .kind = PKGIMG_FIELD_POINTER, .shape = &entry_shape,
     .count = PKGIMG_COUNT(struct item, count), .room = PKGIMG_COUNT(struct item, room)},
    {AT(item, any), .kind = PKGIMG_FIELD_REFERENCE},
    {AT(item, function), .kind = PKGIMG_FIELD_FUNCTION},
    {AT(item, bytes), .kind = PKGIMG_FIELD_BYTES, .count = PKGIMG_COUNT(struct item, byte_count)},
};
static const struct pkgimg_shape item_shape = {
    .name = "item", .size = sizeof(struct item), .alignment = 8, .fields = item_fields, .field_count = 4};

static struct entry entries[4];
static struct item item;
static struct pkgimg_graph_root table = {.name = "table", .object = &item, .shape = &item_shape};

// A table of four entries, in which the test breaks something.
static struct pkgimg_graph fresh(void)
{
  memset(entries, 0, sizeof entries);
  item = (struct item){.entries = entries, .count = 4, .room = 4};
  return described_graph(&table, 1);
}

static void words(void)
{
  static struct item other;
  struct pkgimg_graph graph = fresh();
  entries[3].next = (struct entry *)&other;
  refuse(&graph, PKGIMG_CAPTURE, "roots.table -> entries[3].next: no object is described at 0x");
  CHECK(strstr(error.text, "reference in entry") != NULL && strstr(error.name, "roots.table") != NULL);
  graph = fresh();
  other = (struct item){.entries = entries, .count = 2, .room = 2};
  other.function = words;
  entries[1].item = &other;
  refuse(&graph, PKGIMG_CAPTURE, "roots.table -> entries[1].item -> function: 0x");
  CHECK(strstr(error.text, "is no external") != NULL);
  graph = fresh();
  entries[0].item = (struct item *)24;
  refuse(&graph, PKGIMG_CAPTURE, "roots.table -> entries[0].item: 0x18 is not an address");
  entries[0].item = (struct item *)((char *)&other + 4);
  refuse(&graph, PKGIMG_CAPTURE, "expected a multiple of 8");
  entries[0].item = (struct item *)0xffff800000000000;
  refuse(&graph, PKGIMG_CAPTURE, "is not an address");
  graph = fresh();
  item.forgotten = (uint64_t)&entries[2];
  refuse(&graph, PKGIMG_CAPTURE, "roots.table: offset 48 of item holds the address of an object");
}

static void counts(void)
{
  struct pkgimg_graph graph = fresh();
  item.count = -2;
  refuse(&graph, PKGIMG_CAPTURE, "roots.table -> entries: its count is -2");
  item.count = 4;
  item.room = 3;
  refuse(&graph, PKGIMG_CAPTURE, "it has 4 elements, and room for 3");
  graph = fresh();
  item.entries = NULL;
  refuse(&graph, PKGIMG_CAPTURE, "roots.table -> entries: it is null, but its count is 4");
  graph = fresh();
  item.bytes = (uint8_t *)entries;
  item.byte_count = UINT64_MAX;
  refuse(&graph, PKGIMG_CAPTURE, "roots.table -> bytes: 18446744073709551615 objects of bytes");
  item.byte_count = 1ull << 40;
  refuse(&graph, PKGIMG_CAPTURE, "are more than memory holds");
}

// Two descriptions that share some of their bytes.
static void overlaps(void)
{
  struct pkgimg_graph graph = fresh();
  item.bytes = (uint8_t *)&entries[3];
  item.byte_count = sizeof(struct entry) + 8;
  refuse(&graph, PKGIMG_CAPTURE, "roots.table -> bytes: bytes at 0x");
  CHECK(strstr(error.text, "of roots.table -> entries") != NULL && strstr(error.text, "lies partly in") != NULL);
}

// A struct in bytes that begin at an address of their own kind: in the image its place would be another one.
static void misplaced(void)
{
  static _Alignas(16) uint8_t memory[64];
  struct pkgimg_graph graph = fresh();
  item.bytes = memory + 4;
  item.byte_count = 60;
  entries[0].item = (struct item *)(memory + 8);
  memset(memory, 0, sizeof memory);
  refuse(&graph, PKGIMG_CAPTURE,
         "roots.table -> entries[0].item: item needs multiples of 8, but lies at offset 4");
}

// The way through a long list is cut short.
static void long_ways(void)
{
  static struct item items[1000];
  static struct entry links[1000];
  struct pkgimg_graph graph = fresh();
  for (int i = 0; i < 1000; i++) {
    items[i] = (struct item){.entries = &links[i], .count = 1, .room = 1};
    links[i].item = i < 999 ? &items[i + 1] : NULL;
  }
  items[999].any = (void *)5;
  entries[2].item = items;
  refuse(&graph, PKGIMG_CAPTURE, "roots.table -> entries[2].item -> entries -> ... (1992 more) -> ");
  CHECK(strstr(error.text, "-> item -> entries -> item -> any: ") != NULL);
}

// ---- shapes

static uint64_t huge_count(const void *object)
{
  (void)object;
  return UINT64_MAX / 2;
}

static const struct pkgimg_shape *no_kind(const void *object)
{
  (void)object;
  return NULL;
}

static const struct pkgimg_shape *too_large(const void *object)
{
  (void)object;
  return &item_shape;
}

static const struct pkgimg_shape number = {.name = "number", .size = 8, .alignment = 8},
                                 kindless = {.name = "kindless", .size = 8, .alignment = 8, .select = no_kind},
                                 grower = {.name = "grower", .size = 8, .alignment = 8, .select = too_large};
static const struct pkgimg_field flexible[] = {
    {.name = "rest", .kind = PKGIMG_FIELD_FLEXIBLE, .offset = 8, .shape = &number},
    {.name = "more", .kind = PKGIMG_FIELD_FLEXIBLE, .offset = 8}};
static const struct pkgimg_shape open_ended = {
    .name = "open", .size = 8, .alignment = 8, .fields = flexible, .field_count = 1};

static void refuse_shape(struct pkgimg_shape shape, enum pkgimg_status status, const char *text)
{
  struct pkgimg_graph_root root = {.name = "root", .object = &item, .shape = &shape};
  struct pkgimg_graph graph = fresh();
  graph.roots = &root;
  shape.name = "broken";
  refuse(&graph, status, text);
}

static void refuse_field(struct pkgimg_field field, const char *text)
{
  field.name = "field";
  refuse_shape((struct pkgimg_shape){.size = 64, .alignment = 8, .fields = &field, .field_count = 1},
               PKGIMG_INVALID_ARGUMENT, text);
}

static void shapes(void)
{
  refuse_shape((struct pkgimg_shape){.size = 8, .alignment = 3}, PKGIMG_INVALID_ARGUMENT, "broken: shape (size 8");
  refuse_shape((struct pkgimg_shape){.size = 8}, PKGIMG_INVALID_ARGUMENT, "alignment is not a power of two");
  refuse_shape((struct pkgimg_shape){.size = 8, .alignment = 4 << 20}, PKGIMG_INVALID_ARGUMENT,
               "alignment is not");
  refuse_shape((struct pkgimg_shape){.alignment = 8}, PKGIMG_INVALID_ARGUMENT, "its size is 0");
  refuse_shape((struct pkgimg_shape){.size = 12, .alignment = 8}, PKGIMG_INVALID_ARGUMENT, "not a multiple");
  refuse_shape((struct pkgimg_shape){.size = 8, .alignment = 8, .field_count = 1}, PKGIMG_INVALID_ARGUMENT,
               "but none");
  refuse_shape((struct pkgimg_shape){.size = 8, .alignment = 8, .fields = flexible, .field_count = 2},
               PKGIMG_INVALID_ARGUMENT, "two flexible arrays");
  refuse_shape(kindless, PKGIMG_CAPTURE, "of no known kind");
  struct pkgimg_field part = {.name = "part", .kind = PKGIMG_FIELD_STRUCT, .shape = &kindless};
  struct pkgimg_shape holder = {.size = 8, .alignment = 8, .fields = &part, .field_count = 1};
  refuse_shape(holder, PKGIMG_CAPTURE, "of no known kind");
  part.shape = &grower;
  refuse_shape(holder, PKGIMG_CAPTURE, "larger than its place");
  struct pkgimg_shape itself = {.name = "itself", .size = 8, .alignment = 8, .fields = &part, .field_count = 1};
  part.shape = &itself;
  refuse_shape(itself, PKGIMG_CAPTURE, "nest too deep");
}

static void fields(void)
{
  refuse_field((struct pkgimg_field){.kind = (enum pkgimg_field_kind)77}, "kind is unknown");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_POINTER}, "it has no shape");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_REFERENCE, .offset = 4}, "multiple of 8");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_REFERENCE, .offset = 64}, "beyond the end");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_REFERENCE, .repeat = 9}, "beyond the end");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_REFERENCE, .repeat = UINT64_MAX / 4}, "beyond the end");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_DATA, .repeat = 65}, "beyond the end");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_STRUCT, .shape = &item_shape, .offset = 16},
               "beyond the end");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_STRUCT, .shape = &number, .offset = 4}, "not aligned");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_STRUCT, .shape = &open_ended}, "flexible array");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_FLEXIBLE, .shape = &open_ended}, "a size of their own");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_FLEXIBLE, .offset = 4, .shape = &number}, "not aligned");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_FLEXIBLE, .offset = 65}, "behind the end");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_BYTES, .count = {.size = 3}}, "count is not a member");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_BYTES, .count = {.size = 8, .offset = 60}},
               "not a member");
  refuse_field((struct pkgimg_field){.kind = PKGIMG_FIELD_POINTER, .shape = &open_ended, .count = {.plus = 1}},
               "in a row");
  struct pkgimg_field rest = {.name = "rest",
                              .kind = PKGIMG_FIELD_FLEXIBLE,
                              .offset = 8,
                              .count = {.function = huge_count},
                              .shape = &number};
  refuse_shape((struct pkgimg_shape){.size = 8, .alignment = 8, .fields = &rest, .field_count = 1}, PKGIMG_CAPTURE,
               "flexible array of broken");
}

// ---- the graph itself

static void graphs(void)
{
  struct pkgimg_graph graph = fresh();
  struct pkgimg_graph_root two[] = {table, table}, root = {.shape = &item_shape};
  graph.size--;
  refuse(&graph, PKGIMG_INVALID_ARGUMENT, "struct pkgimg_graph: size: expected");
  graph = described_graph(NULL, 0);
  refuse(&graph, PKGIMG_INVALID_ARGUMENT, "expected at least a root");
  graph = described_graph(NULL, 2);
  refuse(&graph, PKGIMG_INVALID_ARGUMENT, "expected at least a root");
  graph = fresh();
  graph.object_count = 1;
  refuse(&graph, PKGIMG_INVALID_ARGUMENT, "none is NULL");
  graph = described_graph(two, 2);
  fresh();
  refuse(&graph, PKGIMG_INVALID_ARGUMENT, "table: the graph has two roots of this name");
  graph = described_graph(&root, 1);
  refuse(&graph, PKGIMG_INVALID_ARGUMENT, "root 0 of the graph has neither");
  root.name = "";
  refuse(&graph, PKGIMG_INVALID_ARGUMENT, "empty name");
  root.name = "root";
  refuse(&graph, PKGIMG_INVALID_ARGUMENT, "root: the root has no object");
  root = (struct pkgimg_graph_root){.name = "root", .object = &item};
  refuse(&graph, PKGIMG_INVALID_ARGUMENT, "root: the root has no shape");
  graph = fresh();
  refuse_package((struct package){.name = "never", .graph = &graph, .precompile = "one"}, PKGIMG_INVALID_ARGUMENT,
                 "without a precompile function");
  refuse_package((struct package){.name = "never", .graph = &graph, .emit = PKGIMG_EMIT_OBJECT},
                 PKGIMG_INVALID_ARGUMENT, "a graph is part of an image");
}

static void refuse_variable(const char *variable, enum pkgimg_status status, const char *text)
{
  struct pkgimg_graph graph = fresh();
  struct pkgimg_graph_root roots[] = {table, {.object = &item, .shape = &item_shape, .variable = variable}};
  graph.roots = roots;
  graph.root_count = 2;
  refuse_package((struct package){.name = "never",
                                  .graph = &graph,
                                  .code = "void *good, *const fixed = 0; int small;\n"
                                          "char text[1]; void *set = text; long value = 5;\n"
                                          "int puts(const char *); void *host = (void *)puts;\n"
                                          "void f(void) {}\n"},
                 status, text);
}

static void variables(void)
{
  refuse_variable("nowhere", PKGIMG_UNDEFINED_SYMBOL, "nowhere: the variable of a root is not defined");
  refuse_variable("f", PKGIMG_UNDEFINED_SYMBOL, "is not a variable");
  refuse_variable("small", PKGIMG_UNSUPPORTED, "no pointer that may be written: 4 bytes");
  refuse_variable("fixed", PKGIMG_UNSUPPORTED, "no pointer that may be written");
  refuse_variable("value", PKGIMG_INVALID_ARGUMENT, "expected 0, found 0x5");
  refuse_variable("host", PKGIMG_INVALID_ARGUMENT, "expected 0, found 0x0 plus an address");
  refuse_variable("set", PKGIMG_INVALID_ARGUMENT, "set: the variable of a root has an initial value");
}

static void refuse_external(struct pkgimg_external external, enum pkgimg_status status, const char *text)
{
  struct pkgimg_graph graph = fresh();
  struct pkgimg_external both[] = {
      {.address = 0x30000, .size = 64, .kind = PKGIMG_EXTERNAL_HOST, .symbol = "puts"}, external};
  entries[0].next = (struct entry *)0x20000;
  graph.externals = both;
  graph.external_count = 2;
  refuse_package((struct package){.name = "never",
                                  .graph = &graph,
                                  .deps = {"below"},
                                  .code = "__thread long local;\nlong *place(void) { return &local; }\n"},
                 status, text);
}

static void externals(void)
{
  fresh();
  struct pkgimg_graph below = described_graph(&table, 1);
  CHECK_OK(package_build((struct package){.name = "below", .graph = &below}, &error), &error);
  refuse_external((struct pkgimg_external){.address = 0x20000, .kind = (enum pkgimg_external_kind)9},
                  PKGIMG_INVALID_ARGUMENT, "external 1 is of unknown kind 9");
  refuse_external((struct pkgimg_external){.address = 0x20000}, PKGIMG_INVALID_ARGUMENT, "names no symbol");
  refuse_external((struct pkgimg_external){.symbol = "f"}, PKGIMG_INVALID_ARGUMENT, "is nowhere");
  refuse_external((struct pkgimg_external){.address = 8, .size = UINT64_MAX, .symbol = "f"},
                  PKGIMG_INVALID_ARGUMENT, "is nowhere");
  refuse_external((struct pkgimg_external){.address = 0x2ffff, .size = 2, .symbol = "f"}, PKGIMG_INVALID_ARGUMENT,
                  "f: external at 0x2ffff, up to 0x30001, overlaps puts at 0x30000");
  refuse_external((struct pkgimg_external){.address = 0x20000, .symbol = "nowhere"}, PKGIMG_UNDEFINED_SYMBOL,
                  "nowhere: the graph points to it, but the package does not define it");
  refuse_external((struct pkgimg_external){.address = 0x20000, .symbol = "local"}, PKGIMG_UNSUPPORTED,
                  "thread-local");
  struct pkgimg_external dependency = {.address = 0x20000, .kind = PKGIMG_EXTERNAL_DEPENDENCY, .symbol = "gone"};
  refuse_external(dependency, PKGIMG_INVALID_ARGUMENT, "names no dependency");
  dependency.image = "elsewhere";
  refuse_external(dependency, PKGIMG_NOT_FOUND, "elsewhere: the graph points into it");
  dependency.image = "below";
  refuse_external(dependency, PKGIMG_UNDEFINED_SYMBOL,
                  "gone: the graph points to it, but below does not export it");
  dependency.kind = PKGIMG_EXTERNAL_ROOT;
  refuse_external(dependency, PKGIMG_NOT_FOUND, "below has no such root");
  dependency.kind = PKGIMG_EXTERNAL_AREA;
  dependency.size = 4096;
  dependency.offset = 0x50000000;
  refuse_external(dependency, PKGIMG_INVALID_ARGUMENT, "no area with 4096 bytes at offset 0x50000000");
}

int main(void)
{
  words();
  counts();
  overlaps();
  misplaced();
  long_ways();
  shapes();
  fields();
  graphs();
  variables();
  externals();
  return check_verdict();
}
