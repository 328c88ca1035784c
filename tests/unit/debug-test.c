// SPDX-License-Identifier: MIT
//
// Shapes from debug information: the same structs in this program and in a package, as one text.
#include "tests/unit/check.h"
#include "tests/unit/package.h"
#include "tests/unit/world.h"

#include <pkgimg/pkgimg.h>

CHECK_MAIN_FILE

// clang-format off
#define TYPES(...) __VA_ARGS__ static const char types_text[] = #__VA_ARGS__;
TYPES(
  struct leaf { short weight; char label[6]; };
  typedef struct { double x; struct leaf *leaf; } named_by_typedef;
  struct hidden;
  struct vector { unsigned int length; struct leaf items[]; };
  union any { long number; struct tree *tree; };
  struct tree {
    char flag;
    struct tree *left; struct tree *right;
    struct tree *rows[2][2];
    const char *name;
    const struct leaf *leaves; int leaf_count;
    unsigned char *blob; unsigned long blob_size;
    struct leaf **list; unsigned short list_count;
    named_by_typedef inner[2];
    struct { struct leaf *deep; int number; };
    struct vector *vector;
    struct hidden *hidden;
    long (*call)(long);
    void *within;
    union any any; int any_kind;
    unsigned int bits : 3; unsigned int more_bits : 13;
    void *handle;
  };
)
// clang-format on

static struct pkgimg_error error;

static const struct pkgimg_shape *find(struct pkgimg_shapes *shapes, const char *name)
{
  const struct pkgimg_shape *shape = NULL;
  if (!CHECK_OK(pkgimg_shapes_find(shapes, name, &shape, &error), &error))
    exit(1);
  return shape;
}

static struct pkgimg_shapes *read_types(void)
{
  char code[4096];
  struct pkgimg_shapes *shapes = NULL;
  snprintf(code, sizeof code,
           "%s\nstruct tree *use(struct tree *tree) { return tree->left; }\nlong call(long x) { return x * 3; }\n",
           types_text);
  CHECK_OK(package_build((struct package){.name = "types", .code = code, .debug = 2}, &error), &error);
  if (!CHECK_OK(pkgimg_shapes_from_debug(scratch_path("types.so"), &shapes, &error), &error))
    exit(1);
  return shapes;
}

static void sizes(struct pkgimg_shapes *shapes)
{
  CHECK(find(shapes, "tree")->size == sizeof(struct tree) && find(shapes, "tree")->alignment == 8);
  CHECK(find(shapes, "leaf")->size == sizeof(struct leaf) && find(shapes, "leaf")->alignment == 2);
  CHECK(find(shapes, "named_by_typedef")->size == sizeof(named_by_typedef));
  CHECK(find(shapes, "vector")->size == sizeof(struct vector) && find(shapes, "vector")->alignment == 4);
}

static long any_of_host(long x)
{
  return x;
}

static struct leaf leaves[3] = {{1, "one"}, {2, "two"}, {3, "three"}}, *list[2] = {&leaves[2], &leaves[0]};
static unsigned char blob[5] = {9, 8, 7, 6, 5};
static struct tree trees[2];

static void make(struct vector *vector)
{
  memset(trees, 0xee, sizeof trees);
  trees[0] = (struct tree){.flag = 1,
                           .left = &trees[1],
                           .rows = {{0, &trees[0]}, {&trees[1], 0}},
                           .name = "root",
                           .leaves = leaves,
                           .leaf_count = 3,
                           .blob = blob,
                           .blob_size = 5,
                           .list = list,
                           .list_count = 2,
                           .inner = {{1.5, &leaves[1]}, {2.5, 0}},
                           .deep = &leaves[2],
                           .number = 44,
                           .vector = vector,
                           .call = any_of_host,
                           .within = &leaves[1].label,
                           .any = {.tree = &trees[1]},
                           .bits = 5,
                           .more_bits = 4097,
                           .handle = &error};
  trees[1] = (struct tree){.right = &trees[0], .call = any_of_host};
}

static void check_tree(const struct tree *tree)
{
  const struct tree *other = tree->left;
  CHECK(tree->flag == 1 && other->right == tree && tree->rows[0][1] == tree && tree->rows[1][0] == other &&
        !tree->rows[0][0]);
  CHECK(strcmp(tree->name, "root") == 0 && tree->leaf_count == 3 && strcmp(tree->leaves[2].label, "three") == 0);
  CHECK(tree->blob_size == 5 && memcmp(tree->blob, blob, 5) == 0 && tree->blob != blob);
  CHECK(tree->list[0] == &tree->leaves[2] && tree->list[1] == tree->leaves && tree->leaves != leaves);
  CHECK(tree->inner[0].x == 1.5 && tree->inner[0].leaf == tree->leaves + 1 && !tree->inner[1].leaf);
  CHECK(tree->deep == tree->leaves + 2 && tree->number == 44 && tree->within == tree->leaves[1].label);
  CHECK(tree->vector->length == 2 && tree->vector->items[1].weight == 3);
  CHECK(tree->call(5) == 15 && tree->any.tree == other && tree->bits == 5 && tree->more_bits == 4097 &&
        !tree->handle);
}

static enum pkgimg_status build(struct pkgimg_shapes *shapes)
{
  struct pkgimg_graph_root roots[] = {{.name = "tree", .object = &trees[0], .shape = find(shapes, "tree")}};
  struct pkgimg_external call = {.address = (uint64_t)(uintptr_t)any_of_host, .symbol = "call"};
  struct pkgimg_graph graph = described_graph(roots, 1);
  graph.externals = &call;
  graph.external_count = 1;
  return package_build(
      (struct package){.name = "trees", .graph = &graph, .code = "long call(long x) { return x * 3; }\n"}, &error);
}

static void expect(enum pkgimg_status status, const char *text)
{
  CHECK(status == PKGIMG_CAPTURE);
  if (!CHECK(strstr(error.text, text) != NULL))
    fprintf(stderr, "  expected: %s\n  found:    %s\n", text, error.text);
}

// What a declaration does not say is asked for, one by one.
static void tell_and_build(struct pkgimg_shapes *shapes)
{
  expect(build(shapes), "the flexible array of vector");
  CHECK_OK(pkgimg_shapes_count(shapes, "vector", "items", "length", &error), &error);
  expect(build(shapes), "of no known kind");
  struct pkgimg_field tree = {.kind = PKGIMG_FIELD_POINTER, .shape = find(shapes, "tree")};
  CHECK_OK(pkgimg_shapes_set(shapes, "tree", "any", &tree, &error), &error);
  expect(build(shapes), "roots.tree -> handle: no object is described");
  CHECK_OK(pkgimg_shapes_set(shapes, "tree", "handle", &(struct pkgimg_field){.kind = PKGIMG_FIELD_NULL}, &error),
           &error);
  CHECK_OK(pkgimg_shapes_count(shapes, "tree", "leaves", "leaf_count", &error), &error);
  CHECK_OK(pkgimg_shapes_count(shapes, "tree", "blob", "blob_size", &error), &error);
  CHECK_OK(pkgimg_shapes_count(shapes, "tree", "list", "list_count", &error), &error);
  CHECK_OK(pkgimg_shapes_set(shapes, "tree", "rows", &tree, &error), &error);
  trees[0].leaf_count = -1;
  expect(build(shapes), "roots.tree -> leaves: its count is -1");
  trees[0].leaf_count = 3;
  CHECK_OK(build(shapes), &error);
}

static void refusals(struct pkgimg_shapes *shapes)
{
  struct pkgimg_shapes *none = NULL;
  const struct pkgimg_shape *shape;
  struct pkgimg_field field = {.kind = PKGIMG_FIELD_REFERENCE};
  CHECK_STATUS(pkgimg_shapes_from_debug(NULL, &none, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(pkgimg_shapes_from_debug("/no/such/file", &none, &error), PKGIMG_NOT_FOUND, &error);
  write_all(scratch_path("text"), "no ELF file", 11);
  CHECK_STATUS(pkgimg_shapes_from_debug(scratch_path("text"), &none, &error), PKGIMG_NOT_FOUND, &error);
  CHECK_OK(package_build((struct package){.name = "plain"}, &error), &error);
  CHECK_STATUS(pkgimg_shapes_from_debug(scratch_path("plain.so"), &none, &error), PKGIMG_NOT_FOUND, &error);
  CHECK(strstr(error.text, "-g") && !none);
  CHECK_STATUS(pkgimg_shapes_find(shapes, "hidden", &shape, &error), PKGIMG_NOT_FOUND, &error);
  CHECK_STATUS(pkgimg_shapes_find(shapes, NULL, &shape, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(pkgimg_shapes_count(shapes, "tree", "left", "gone", &error), PKGIMG_NOT_FOUND, &error);
  CHECK_STATUS(pkgimg_shapes_count(shapes, "tree", "left", "name", &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(pkgimg_shapes_count(shapes, "tree", "flag", "leaf_count", &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(pkgimg_shapes_set(shapes, "tree", "flag", &field, &error), PKGIMG_INVALID_ARGUMENT, &error);
  pkgimg_shapes_destroy(NULL);
}

int main(void)
{
  struct pkgimg_runtime *runtime;
  struct pkgimg_image *image = NULL;
  void *tree = NULL;
  struct vector *vector = malloc(sizeof *vector + 2 * sizeof(struct leaf));
  struct pkgimg_shapes *shapes = read_types();
  *vector = (struct vector){.length = 2};
  memcpy(vector->items, &leaves[1], 2 * sizeof(struct leaf));
  make(vector);
  sizes(shapes);
  refusals(shapes);
  tell_and_build(shapes);
  pkgimg_shapes_destroy(shapes);
  CHECK_OK(pkgimg_runtime_open(NULL, &runtime, &error), &error);
  CHECK_OK(pkgimg_load(runtime, scratch_path("trees.so"), &image, &error), &error);
  if (image && CHECK_OK(pkgimg_root(image, "tree", &tree, &error), &error))
    check_tree(tree);
  pkgimg_runtime_close(runtime);
  free(vector);
  return check_verdict();
}
