// SPDX-License-Identifier: MIT
//
// Described capture: graphs of this process's objects in images, and what they are after a load.
#include "format/view.h"
#include "tests/unit/check.h"
#include "tests/unit/described-graph.h"
#include "tests/unit/loads.h"
#include "tests/unit/package.h"
#include "tests/unit/world.h"

#include <pkgimg/pkgimg.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;
static struct pkgimg_runtime *runtime;

static struct pkgimg_image *make(struct package package)
{
  struct pkgimg_image *image = NULL;
  char file[64];
  snprintf(file, sizeof file, "%s.so", package.name);
  if (!CHECK_OK(package_build(package, &error), &error)) {
    fprintf(stderr, "%s\n", package_messages);
    exit(1);
  }
  CHECK_OK(pkgimg_verify(scratch_path(file), &error), &error);
  if (!CHECK_OK(pkgimg_load(runtime, scratch_path(file), &image, &error), &error))
    exit(1);
  return image;
}

static void *root(struct pkgimg_image *image, const char *name)
{
  void *address = NULL;
  CHECK_OK(pkgimg_root(image, name, &address, &error), &error);
  return address;
}

// ---- random graphs

static void random_graph(uint64_t seed, size_t count)
{
  struct world_graph *original = graph_make(seed, count, 0);
  struct pkgimg_graph_root roots[] = {
      {.name = "first", .object = graph_first(original), .shape = &graph_node_shape}};
  struct pkgimg_graph graph = described_graph(roots, 1);
  graph.objects = graph_objects(original);
  graph.object_count = count;
  struct pkgimg_image *image = make((struct package){.name = "random", .graph = &graph});
  size_t found = 0;
  CHECK(graph_same(original, root(image, "first"), &found));
  CHECK(found > count / 2);
  graph_free(original);
  pkgimg_close(image);
}

// One graph at other addresses, its roots in another order.
static void same_bytes_anywhere(void)
{
  size_t sizes[2];
  uint8_t *bytes[2];
  for (int i = 0; i < 2; i++) {
    struct world_graph *one = graph_make(5, 3000, (uint64_t)i * 77 + 1), *two = graph_make(6, 100, (uint64_t)i);
    struct pkgimg_graph_root roots[2];
    roots[i] = (struct pkgimg_graph_root){.name = "a", .object = graph_first(one), .shape = &graph_node_shape};
    roots[1 - i] = (struct pkgimg_graph_root){.name = "b", .object = graph_first(two), .shape = &graph_node_shape};
    struct pkgimg_graph graph = described_graph(roots, 2);
    CHECK_OK(package_build((struct package){.name = "same", .graph = &graph}, &error), &error);
    bytes[i] = read_all(scratch_path("same.so"), &sizes[i]);
    graph_free(one);
    graph_free(two);
  }
  CHECK(sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0);
  free(bytes[0]);
  free(bytes[1]);
}

// ---- a long list: the walk must not recurse

struct link {
  struct link *next;
  uint64_t number;
};
static const struct pkgimg_shape link_shape;
static const struct pkgimg_field link_fields[] = {
    {.name = "next", .kind = PKGIMG_FIELD_POINTER, .shape = &link_shape},
};
static const struct pkgimg_shape link_shape = {
    .name = "link", .size = sizeof(struct link), .alignment = 8, .fields = link_fields, .field_count = 1};

static void long_list(size_t count)
{
  struct link *links = calloc(count, sizeof *links);
  for (size_t i = 0; i < count; i++)  // 7919 and a power of ten have no common divisor
    links[i * 7919 % count] =
        (struct link){.next = i + 1 < count ? &links[(i + 1) * 7919 % count] : NULL, .number = i};
  struct pkgimg_graph_root roots[] = {{.name = "list", .object = &links[0], .shape = &link_shape}};
  struct pkgimg_graph graph = described_graph(roots, 1);
  struct pkgimg_image *image = make((struct package){.name = "list", .graph = &graph});
  size_t found = 0;
  for (const struct link *link = root(image, "list"); link && link->number == found; link = link->next)
    found++;
  CHECK(found == count);
  free(links);
  pkgimg_close(image);
}

// ---- pointers to what is not captured

struct entry {
  long (*function)(long);
  void *place;
};
static const struct pkgimg_field entry_fields[] = {
    {.name = "function", .kind = PKGIMG_FIELD_FUNCTION},
    {.name = "place", .kind = PKGIMG_FIELD_REFERENCE, .offset = 8},
};
static const struct pkgimg_shape entry_shape = {
    .name = "entry", .size = sizeof(struct entry), .alignment = 8, .fields = entry_fields, .field_count = 2};

// Addresses that nothing in this process has: only their names count.
enum { AT = 0x10000 };
static struct entry entry_of(uint64_t function, uint64_t place)
{
  return (struct entry){.function = (long (*)(long))(uintptr_t)function, .place = (void *)(uintptr_t)place};
}

static const char base_code[] = "long base_numbers[4] = {10, 11, 12, 13};\n"
                                "long base_add(long x) { return x + base_numbers[0]; }\n";
static const char top_code[] = "#include <unistd.h>\n"
                               "long visible(long x) { return x + 1; }\n"
                               "static long hidden(long x) { return x + 2; }\n"
                               "long calls_hidden(long x) { return hidden(x); }\n"
                               "static long table[8] = {5, 6, 7, 8};\n"
                               "__attribute__((annotate(\"pkgimg.clone\"))) long cloned(long x) { long s = 0; "
                               "while (x > 0) s += x--; return s; }\n"
                               "static int constructed;\n"
                               "__attribute__((constructor)) static void construct(void) { constructed += getpid() > 0; }\n"
                               "int how_often(void) { return constructed; }\n"
                               "long *in_table(void) { return &table[2]; }\n";

static void externals(void)
{
  struct link shared[2] = {{&shared[1], 1}, {&shared[0], 2}};
  struct pkgimg_graph_root base_roots[] = {{.name = "ring", .object = shared, .shape = &link_shape, .count = 2}};
  struct pkgimg_graph base_graph = described_graph(base_roots, 1);
  struct pkgimg_image *base = make((struct package){.name = "base", .code = base_code, .graph = &base_graph});
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];
  pkgimg_image_areas(base, areas);
  uint64_t ring = (uint64_t)root(base, "ring"), numbers = (uint64_t)symbol(base, "base_numbers");
  struct pkgimg_external list[] = {
      {.address = AT, .kind = PKGIMG_EXTERNAL_OWN, .symbol = "visible"},
      {.address = AT + 16, .kind = PKGIMG_EXTERNAL_OWN, .symbol = "hidden"},
      {.address = AT + 32, .kind = PKGIMG_EXTERNAL_OWN, .symbol = "table", .size = 32},
      {.address = AT + 64, .kind = PKGIMG_EXTERNAL_OWN, .symbol = "cloned"},
      {.address = AT + 80, .kind = PKGIMG_EXTERNAL_DEPENDENCY, .image = "base", .symbol = "base_add"},
      {.address = ring, .kind = PKGIMG_EXTERNAL_ROOT, .image = "base", .symbol = "ring", .size = sizeof shared},
      {.address = areas[3].address,
       .size = areas[3].memory_size,
       .kind = PKGIMG_EXTERNAL_AREA,
       .image = "base",
       .offset = areas[3].address - areas[0].address},
      {.address = (uint64_t)(uintptr_t)labs, .kind = PKGIMG_EXTERNAL_HOST, .symbol = "labs"},
      {.address = (uint64_t)&stderr, .kind = PKGIMG_EXTERNAL_HOST, .symbol = "stderr", .size = 8},
      {.address = AT + 96, .kind = PKGIMG_EXTERNAL_OWN, .symbol = "nobody_points_here"},
  };
  struct entry entries[] = {
      entry_of(AT, AT + 32 + 16),
      entry_of(AT + 16, ring),
      entry_of(AT + 64, ring + sizeof(struct link)),
      entry_of(AT + 80, numbers + 16),
      entry_of(list[7].address, (uint64_t)&stderr),
  };
  struct pkgimg_graph_root roots[] = {{.name = "entries", .object = entries, .shape = &entry_shape, .count = 5}};
  struct pkgimg_graph graph = described_graph(roots, 1);
  graph.externals = list;
  graph.external_count = sizeof list / sizeof *list;
  struct pkgimg_image *image = make((struct package){
      .name = "top", .code = top_code, .graph = &graph, .deps = {"base"}, .cpu_target = "x86-64;haswell"});
  const struct entry *found = root(image, "entries");
  CHECK(found[0].function(5) == 6 && (void *)(uintptr_t)found[0].function == symbol(image, "visible"));
  CHECK(found[1].function(5) == 7 && found[2].function(4) == 10 && found[3].function(1) == 11);
  CHECK((void *)(uintptr_t)found[2].function == symbol(image, "cloned"));
  CHECK(found[4].function(-3) == 3 && found[4].place == (void *)&stderr);
  CHECK(found[0].place == ((void *(*)(void))(uintptr_t)symbol(image, "in_table"))() &&
        *(long *)found[0].place == 7);
  CHECK((uint64_t)found[1].place == ring && (uint64_t)found[2].place == ring + sizeof(struct link));
  CHECK((uint64_t)found[3].place == numbers + 16 && ((struct link *)found[1].place)->next == found[2].place);
  CHECK(((int (*)(void))(uintptr_t)symbol(image, "how_often"))() == 1);
  void *address;
  CHECK_STATUS(pkgimg_symbol(image, "hidden", &address, &error), PKGIMG_UNDEFINED_SYMBOL, &error);
  pkgimg_close(image);
  pkgimg_close(base);
}

// ---- the package's own code and the objects

static const char user_code[] =
    "#include <malloc.h>\n#include <stdlib.h>\n"
    "struct link { struct link *next; unsigned long number; };\n"
    "struct link *head; static struct link *second; long before = 4;\n"
    "unsigned long follow(void) { return head->number * 10 + second->number + (head->next == second) * 100; }\n"
    "unsigned long size_of(void *object) { return malloc_usable_size(object); }\n"
    "void *larger(void *object) { return realloc(object, 4096); }\n"
    "void release(void *object) { free(object); }\n"
    "struct link *also(void) { return second; }\n";

static void variables_and_memory(void)
{
  struct link *links[2] = {malloc(sizeof(struct link)), malloc(sizeof(struct link))};
  char text[] = "seventeen bytes..";
  *links[0] = (struct link){links[1], 4};
  *links[1] = (struct link){links[0], 2};
  struct pkgimg_graph_root roots[] = {
      {.name = "links", .object = links[0], .shape = &link_shape, .variable = "head"},
      {.object = links[1], .shape = &link_shape, .variable = "second"},
      {.name = "text",
       .object = text,
       .shape = &(struct pkgimg_shape){.size = 1, .alignment = 1},
       .count = sizeof text}};
  struct pkgimg_graph graph = described_graph(roots, 3);
  struct pkgimg_image *image = make((struct package){.name = "user", .code = user_code, .graph = &graph});
  struct link *first = root(image, "links");
  char *copy = root(image, "text");
  CHECK(((unsigned long (*)(void))(uintptr_t)symbol(image, "follow"))() == 142);
  CHECK(*(struct link **)symbol(image, "head") == first && *(long *)symbol(image, "before") == 4);
  unsigned long (*size_of)(void *) = (unsigned long (*)(void *))(uintptr_t)symbol(image, "size_of");
  CHECK(size_of(first) == sizeof(struct link) && size_of(copy) == sizeof text);
  char *grown = ((char *(*)(void *))(uintptr_t)symbol(image, "larger"))(copy);
  CHECK(grown != copy && strcmp(grown, text) == 0 && strcmp(copy, text) == 0);
  free(grown);
  void (*release)(void *) = (void (*)(void *))(uintptr_t)symbol(image, "release");
  release(copy);
  release(first);
  first->number = 9;
  CHECK(((unsigned long (*)(void))(uintptr_t)symbol(image, "follow"))() == 192);
  free(links[0]);
  free(links[1]);
  pkgimg_close(image);
}

// ---- layout

struct blob {
  struct blob *next;
  void *bytes;
  uint64_t size;
};
static const struct pkgimg_shape blob_shape;
static const struct pkgimg_field blob_fields[] = {
    {.name = "next", .kind = PKGIMG_FIELD_POINTER, .shape = &blob_shape},
    {.name = "bytes", .kind = PKGIMG_FIELD_BYTES, .offset = 8, .count = PKGIMG_COUNT(struct blob, size)},
};
static const struct pkgimg_shape blob_shape = {
    .name = "blob", .size = sizeof(struct blob), .alignment = 8, .fields = blob_fields, .field_count = 2};

// Bytes lie apart from the structs that point to them: few pages are written by a load.
static void pages_without_pointers(void)
{
  enum { COUNT = 500, BYTES = 3000 };
  struct blob *blobs = calloc(COUNT, sizeof *blobs);
  uint8_t *bytes = calloc(COUNT, BYTES);
  for (int i = 0; i < COUNT; i++) {
    memset(bytes + i * BYTES, i, BYTES);
    blobs[i] = (struct blob){i + 1 < COUNT ? &blobs[i + 1] : NULL, bytes + i * BYTES, BYTES};
  }
  struct pkgimg_graph_root roots[] = {{.name = "blobs", .object = blobs, .shape = &blob_shape}};
  struct pkgimg_graph graph = described_graph(roots, 1);
  struct pkgimg_image *image = make((struct package){.name = "blobs", .graph = &graph});
  int good = 0;
  for (const struct blob *blob = root(image, "blobs"); blob; blob = blob->next)
    good += ((uint8_t *)blob->bytes)[0] == good % 256 && ((uint8_t *)blob->bytes)[BYTES - 1] == good % 256;
  CHECK(good == COUNT);
  struct image_file file;
  size_t size;
  struct reader reader = {.file = "blobs.so", .error = &error};
  reader.bytes.data = read_all(scratch_path("blobs.so"), &size);
  reader.bytes.size = size;
  CHECK_OK(image_file_read(&reader, &file), &error);
  uint64_t needed = COUNT * (sizeof(struct blob) + 8) / FORMAT_PAGE + 1;
  CHECK(file.tables.head->heap.dirty_pages == needed && file.tables.head->heap.size > COUNT * BYTES);
  free((void *)(uintptr_t)reader.bytes.data);
  free(bytes);
  free(blobs);
  pkgimg_close(image);
}

static void alignments(void)
{
  static const uint64_t wanted[] = {16, 64, 4096, 2 << 20};
  static _Alignas(4096) char page[64], line[64];
  char *large = aligned_alloc(2 << 20, 2 << 20), *objects[] = {malloc(16), line, page, large};
  struct pkgimg_shape shapes[4];
  struct pkgimg_graph_root roots[4];
  static const char *const names[] = {"d", "c", "b", "a"};
  memset(large, 7, 2 << 20);
  for (int i = 0; i < 4; i++) {
    shapes[i] = (struct pkgimg_shape){.size = wanted[i], .alignment = wanted[i]};
    roots[i] = (struct pkgimg_graph_root){.name = names[i], .object = objects[i], .shape = &shapes[i]};
  }
  shapes[2].size = 64;
  shapes[2].alignment = 64;
  struct pkgimg_graph graph = described_graph(roots, 4);
  struct pkgimg_image *image = make((struct package){.name = "aligned", .graph = &graph});
  for (int i = 0; i < 4; i++)
    CHECK((uint64_t)root(image, names[i]) % shapes[i].alignment == 0);
  CHECK(((char *)root(image, "a"))[(2 << 20) - 1] == 7);
  free(objects[0]);
  free(large);
  pkgimg_close(image);
}

// ---- identity (cases of shared/mutable data, native pointers, empty strings)

struct view {
  char *data;
  char *from, *to;  // in data; `to` may be its end
  uint64_t size;
  uint64_t constant;  // no pointer
  void *native;       // reset
  void *minus_one;    // kept
  char *empty, *also_empty, *other_empty;
};

static uint64_t unless_minus_one(uint64_t word)
{
  return word == UINT64_MAX ? 0 : word;
}

#define VIEW(member) .name = #member, .offset = offsetof(struct view, member)
static const struct pkgimg_field view_fields[] = {
    {VIEW(data), .kind = PKGIMG_FIELD_BYTES, .count = PKGIMG_COUNT(struct view, size)},
    {VIEW(from), .kind = PKGIMG_FIELD_REFERENCE},
    {VIEW(to), .kind = PKGIMG_FIELD_REFERENCE},
    {VIEW(native), .kind = PKGIMG_FIELD_NULL},
    {VIEW(minus_one), .kind = PKGIMG_FIELD_REFERENCE, .address_of = unless_minus_one},
    {VIEW(empty), .kind = PKGIMG_FIELD_STRING},
    {VIEW(also_empty), .kind = PKGIMG_FIELD_STRING},
    {VIEW(other_empty), .kind = PKGIMG_FIELD_STRING},
};
static const struct pkgimg_shape view_shape = {
    .name = "view", .size = sizeof(struct view), .alignment = 8, .fields = view_fields, .field_count = 8};

static void views_of_one_buffer(void)
{
  char *buffer = strdup("0123456789"), *nothing = strdup(""), *more_nothing = strdup("");
  struct view views[3];
  for (int i = 0; i < 2; i++)
    views[i] = (struct view){.data = buffer,
                             .from = buffer + 3 * i,
                             .to = buffer + 10,
                             .size = 10,
                             .constant = 0xdeadbeef00 + (uint64_t)i,
                             .native = buffer,
                             .minus_one = (void *)UINT64_MAX,
                             .empty = nothing,
                             .also_empty = nothing,
                             .other_empty = more_nothing};
  views[2] = (struct view){.data = buffer + 10};  // no bytes, at the end of some
  struct pkgimg_graph_root roots[] = {{.name = "views", .object = views, .shape = &view_shape, .count = 3}};
  struct pkgimg_graph graph = described_graph(roots, 1);
  struct pkgimg_image *image = make((struct package){.name = "views", .graph = &graph});
  const struct view *found = root(image, "views");
  CHECK(found[0].data == found[1].data && found[0].data != buffer && memcmp(found[0].data, buffer, 10) == 0);
  CHECK(found[0].from == found[0].data && found[1].from == found[0].data + 3 && found[0].to == found[0].data + 10);
  found[0].data[4] = 'x';
  CHECK(found[1].from[1] == 'x');
  CHECK(found[0].constant == 0xdeadbeef00 && found[1].constant == 0xdeadbeef01);
  CHECK(!found[0].native && found[0].minus_one == (void *)UINT64_MAX);
  CHECK(found[0].empty == found[1].also_empty && found[0].empty != found[0].other_empty && !*found[0].empty);
  CHECK(found[2].data == found[0].data + 10 && !found[2].from);
  free(buffer);
  free(nothing);
  free(more_nothing);
  pkgimg_close(image);
}

// Two packages over one dependency: both point to the one object that it has.
static void two_over_one(void)
{
  struct link shared = {&shared, 7};
  struct pkgimg_graph_root base_root = {.name = "ring", .object = &shared, .shape = &link_shape};
  struct pkgimg_graph base = described_graph(&base_root, 1);
  pkgimg_close(make((struct package){.name = "below", .graph = &base}));
  struct link users[2] = {{&shared, 1}, {&shared, 2}};
  struct pkgimg_external external = {.address = (uint64_t)&shared,
                                     .size = sizeof shared,
                                     .kind = PKGIMG_EXTERNAL_ROOT,
                                     .image = "below",
                                     .symbol = "ring"};
  struct pkgimg_image *images[2];
  static const char *const names[] = {"left", "right"};
  for (int i = 0; i < 2; i++) {
    struct pkgimg_graph_root user = {.name = "user", .object = &users[i], .shape = &link_shape};
    struct pkgimg_graph graph = described_graph(&user, 1);
    graph.externals = &external;
    graph.external_count = 1;
    images[i] = make((struct package){.name = names[i], .graph = &graph, .deps = {"below"}});
  }
  const struct link *left = root(images[0], "user"), *right = root(images[1], "user");
  CHECK(left != right && left->next == right->next && left->next->next == left->next && left->next->number == 7);
  CHECK(left->number == 1 && right->number == 2);
  pkgimg_close(images[0]);
  pkgimg_close(images[1]);
}

// One object by a pointer to its first part and by one to all of it.
struct whole {
  struct link part;
  char *name;
};
static const struct pkgimg_field whole_fields[] = {
    {.name = "part", .kind = PKGIMG_FIELD_STRUCT, .shape = &link_shape},
    {.name = "name", .kind = PKGIMG_FIELD_STRING, .offset = offsetof(struct whole, name)},
};
static const struct pkgimg_shape whole_shape = {
    .name = "whole", .size = sizeof(struct whole), .alignment = 8, .fields = whole_fields, .field_count = 2};

static void parts_and_wholes(void)
{
  struct whole whole = {{NULL, 3}, (char[]){"name"}};
  struct link before = {&whole.part, 1};
  struct pkgimg_graph_root roots[] = {{.name = "a", .object = &before, .shape = &link_shape},
                                      {.name = "b", .object = &whole, .shape = &whole_shape}};
  struct pkgimg_graph graph = described_graph(roots, 2);
  struct pkgimg_image *image = make((struct package){.name = "whole", .graph = &graph});
  const struct whole *found = root(image, "b");
  CHECK(((struct link *)root(image, "a"))->next == &found->part && strcmp(found->name, "name") == 0);
  pkgimg_close(image);
}

int main(void)
{
  CHECK_OK(pkgimg_runtime_open(NULL, &runtime, &error), &error);
  for (uint64_t seed = 1; seed <= 4; seed++)
    random_graph(seed, seed * seed * 20);
  random_graph(99, 150000);
  same_bytes_anywhere();
  long_list(getenv("PKGIMG_TEST_LARGE") ? 10000000 : 1000000);
  externals();
  variables_and_memory();
  pages_without_pointers();
  alignments();
  views_of_one_buffer();
  two_over_one();
  parts_and_wholes();
  pkgimg_runtime_close(runtime);
  return check_verdict();
}
