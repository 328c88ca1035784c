// SPDX-License-Identifier: MIT
//
// Described capture: graphs of this process's objects in images, and what they are after a load.
#include "tests/unit/check.h"
#include "tests/unit/described-graph.h"
#include "tests/unit/world.h"

#include <pkgimg/build.h>
#include <pkgimg/pkgimg.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;
static struct pkgimg_runtime *runtime;
static char messages[4096];

static void keep_message(void *context, const char *text)
{
  (void)context;
  snprintf(messages, sizeof messages, "%s", text);
}

// The package NAME of NAME.c, with a graph.
static enum pkgimg_status build(const char *name, const char *text, const struct pkgimg_graph *graph, const char *dep)
{
  struct pkgimg_build_options options = PKGIMG_BUILD_OPTIONS_INIT;
  char source[64], output[64];
  const char *file = source;
  snprintf(source, sizeof source, "%s.c", name);
  snprintf(output, sizeof output, "%s.so", name);
  options.name = name;
  options.output = scratch_path(output);
  options.folder = scratch_folder();
  options.graph = graph;
  options.diagnostic = keep_message;
  options.deps = (struct pkgimg_strings){&dep, dep != NULL};
  messages[0] = 0;
  write_all(scratch_path(source), text, strlen(text));
  return pkgimg_build_files(&options, &file, 1, &error);
}

static struct pkgimg_image *load(const char *name)
{
  struct pkgimg_image *image = NULL;
  char file[64];
  snprintf(file, sizeof file, "%s.so", name);
  CHECK_OK(pkgimg_load(runtime, scratch_path(file), &image, &error), &error);
  return image;
}

static void *root(struct pkgimg_image *image, const char *name)
{
  void *address = NULL;
  if (image)
    CHECK_OK(pkgimg_root(image, name, &address, &error), &error);
  return address;
}

static struct pkgimg_image *make(const char *name, const char *text, const struct pkgimg_graph *graph, const char *dep)
{
  if (!CHECK_OK(build(name, text, graph, dep), &error)) {
    fprintf(stderr, "%s\n", messages);
    return NULL;
  }
  return load(name);
}

static const char code[] = "long one(void) { return 1; }\n";

static struct pkgimg_graph graph_of(const struct pkgimg_graph_root *roots, size_t count)
{
  return (struct pkgimg_graph){.size = sizeof(struct pkgimg_graph), .roots = roots, .root_count = count};
}

// ---- random graphs

static void random_graph(uint64_t seed, size_t count)
{
  struct world_graph *original = graph_make(seed, count, 0);
  struct pkgimg_graph_root roots[] = {{.name = "first", .object = graph_first(original), .shape = &graph_node_shape}};
  struct pkgimg_graph graph = graph_of(roots, 1);
  graph.objects = graph_objects(original);
  graph.object_count = count;
  struct pkgimg_image *image = make("random", code, &graph, NULL);
  size_t found = 0;
  if (image)
    CHECK(graph_same(original, root(image, "first"), &found));
  printf("seed %lu: %zu nodes\n", (unsigned long)seed, found);
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
    struct world_graph *one = graph_make(5, 3000, i * 77 + 1), *two = graph_make(6, 100, i);
    struct pkgimg_graph_root roots[2];
    roots[i] = (struct pkgimg_graph_root){.name = "a", .object = graph_first(one), .shape = &graph_node_shape};
    roots[1 - i] = (struct pkgimg_graph_root){.name = "b", .object = graph_first(two), .shape = &graph_node_shape};
    struct pkgimg_graph graph = graph_of(roots, 2);
    CHECK_OK(build("same", code, &graph, NULL), &error);
    bytes[i] = read_all(scratch_path("same.so"), &sizes[i]);
    graph_free(one);
    graph_free(two);
  }
  CHECK(sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0);
  free(bytes[0]);
  free(bytes[1]);
}

int main(void)
{
  CHECK_OK(pkgimg_runtime_open(NULL, &runtime, &error), &error);
  for (uint64_t seed = 1; seed <= 4; seed++)
    random_graph(seed, seed * seed * 20);
  random_graph(99, 150000);
  same_bytes_anywhere();
  pkgimg_runtime_close(runtime);
  return check_verdict();
}
