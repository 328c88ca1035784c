// SPDX-License-Identifier: MIT
//
// The public interface of the load side, on a graph of four images (top -> left, right -> leaf): what is the
// same image, what runs in which order, what is found where, and that nothing remains.
#include "image/runtime.h"
#include "tests/unit/check.h"
#include "tests/unit/events.h"
#include "tests/unit/loads.h"
#include "tests/unit/world.h"

#include <pkgimg/inspect.h>

CHECK_MAIN_FILE

static struct pkgimg_error error;
static struct world before;
static uint64_t reach;  // of the runtimes that open_reaching opens

static struct pkgimg_runtime *open_reaching(unsigned flags)
{
  struct pkgimg_runtime *runtime = open_runtime(flags);
  runtime->reach = reach;
  return runtime;
}

static uint64_t images_loaded(struct pkgimg_runtime *runtime)
{
  struct pkgimg_stats stats = {.size = sizeof stats};
  CHECK_OK(pkgimg_runtime_stats(runtime, &stats, &error), &error);
  return stats.images;
}

// ---- identity and order

static void order(void)
{
  struct pkgimg_runtime *runtime = open_reaching(0);
  struct pkgimg_image *top = load_named(runtime, "top");
  expect_events("construct leaf; construct left; construct right; construct top");
  CHECK_OK(pkgimg_init(top, &error), &error);
  expect_events("init leaf; init left; init top");
  CHECK_OK(pkgimg_init(top, &error), &error);
  expect_events("");
  pkgimg_close(top);
  expect_events("atexit top; destruct top; atexit right; destruct right; atexit left; destruct left; "
                "atexit leaf; destruct leaf");
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
}

static void references(void)
{
  struct pkgimg_runtime *runtime = open_reaching(0);
  struct pkgimg_image *leaf = load_named(runtime, "leaf"), *top = load_named(runtime, "top");
  expect_events("construct leaf; construct left; construct right; construct top");
  CHECK(load_named(runtime, "leaf") == leaf && load_named(runtime, "top") == top && images_loaded(runtime) == 4);
  pkgimg_close(top);
  expect_events("");
  pkgimg_close(top);
  expect_events("atexit top; destruct top; atexit right; destruct right; atexit left; destruct left");
  pkgimg_close(leaf);
  CHECK(*(int *)symbol(leaf, "leaf_object") == 7);
  struct pkgimg_image *left = load_named(runtime, "left");
  pkgimg_close(leaf);
  expect_events("construct left");
  pkgimg_close(left);
  expect_events("atexit left; destruct left; atexit leaf; destruct leaf");
  CHECK(images_loaded(runtime) == 5);
  pkgimg_close(NULL);
  pkgimg_runtime_close(runtime);
  pkgimg_runtime_close(NULL);
  CHECK(world_leaked(&before) == 0);
}

// By build id, not by path.
static void same_under_another_path(void)
{
  struct pkgimg_runtime *runtime = open_reaching(0);
  struct pkgimg_image *leaf = load_named(runtime, "leaf"), *copy = NULL;
  size_t size;
  uint8_t *bytes = read_all(image_path("leaf"), &size);
  write_all(scratch_path("copy.so"), bytes, size);
  free(bytes);
  CHECK_OK(pkgimg_load(runtime, scratch_path("copy.so"), &copy, &error), &error);
  CHECK(copy == leaf && strcmp(pkgimg_image_path(leaf), image_path("leaf")) == 0);
  struct pkgimg_image *other = load_named(runtime, "other-leaf");
  CHECK(other != leaf && strcmp(pkgimg_image_name(other), pkgimg_image_name(leaf)) == 0);
  pkgimg_runtime_close(runtime);
  events_take();
}

static void runtime_closed_first(void)
{
  struct pkgimg_runtime *runtime = open_reaching(0);
  load_named(runtime, "right");
  load_named(runtime, "top");
  load_named(runtime, "leaf");
  events_take();
  pkgimg_runtime_close(runtime);
  expect_events("atexit top; destruct top; atexit left; destruct left; atexit right; destruct right; "
                "atexit leaf; destruct leaf");
  CHECK(world_leaked(&before) == 0);
}

static void two_runtimes(void)
{
  struct pkgimg_runtime *one = open_reaching(0), *two = open_reaching(0);
  struct pkgimg_image *first = load_named(one, "left"), *second = load_named(two, "left");
  int *object = symbol(first, "left_object"), *other = symbol(second, "left_object");
  CHECK(first != second && object != other);
  *object = 100;
  CHECK(*other == 7);
  CHECK(pkgimg_image_at(one, object) == first && pkgimg_image_at(two, object) == NULL);
  pkgimg_runtime_close(one);
  CHECK(((int (*)(int))symbol(second, "left_function"))(1) == 8);
  pkgimg_runtime_close(two);
  events_take();
  CHECK(world_leaked(&before) == 0);
}

// ---- symbols and addresses

static void symbols_of_every_kind(void)
{
  struct pkgimg_runtime *runtime = open_reaching(0);
  struct pkgimg_image *leaf = load_named(runtime, "leaf"), *left = load_named(runtime, "left");
  int (*function)(int) = (int (*)(int))symbol(leaf, "leaf_function");
  CHECK(function(5) == 12 && *(int (**)(int))symbol(left, "left_one") == function);
  CHECK(((int (*)(void))symbol(leaf, "leaf_ifunc"))() == 1234);
  CHECK(*(int *)symbol(leaf, "leaf_thread_local") == 41);
  CHECK(strcmp(symbol(leaf, "leaf_constant"), "leaf constant") == 0);
  CHECK(((int *)symbol(leaf, "leaf_zeros"))[2999] == 0);
  int **pointers = symbol(leaf, "leaf_pointers");
  CHECK(pointers[0] == symbol(leaf, "leaf_object") && pointers[1] == (int *)symbol(leaf, "leaf_zeros") + 100);
  CHECK(*(size_t(**)(const char *))symbol(leaf, "leaf_host_pointer") == strlen);
  void *address = NULL;
  CHECK_STATUS(pkgimg_symbol(left, "leaf_function", &address, &error), PKGIMG_UNDEFINED_SYMBOL, &error);
  CHECK(strcmp(error.name, "leaf_function") == 0);
  CHECK_STATUS(pkgimg_symbol(leaf, "", &address, &error), PKGIMG_UNDEFINED_SYMBOL, &error);
  CHECK_STATUS(pkgimg_symbol(leaf, NULL, &address, &error), PKGIMG_INVALID_ARGUMENT, &error);
  pkgimg_runtime_close(runtime);
  events_take();
}

static void addresses(void)
{
  struct pkgimg_runtime *runtime = open_reaching(0);
  struct pkgimg_image *leaf = load_named(runtime, "leaf"), *left = load_named(runtime, "left");
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];
  pkgimg_image_areas(left, areas);
  for (int i = 0; i < PKGIMG_AREA_COUNT; i++) {
    if (areas[i].memory_size == 0)
      continue;
    uint8_t *start = (uint8_t *)areas[i].address, *last = start + areas[i].memory_size - 1;
    CHECK(pkgimg_image_at(runtime, start) == left && pkgimg_image_at(runtime, last) == left);
    CHECK(i == 0 || pkgimg_image_at(runtime, last + 1) != left);
  }
  CHECK(pkgimg_image_at(runtime, symbol(leaf, "leaf_object")) == leaf);
  CHECK(!pkgimg_image_at(runtime, &before) && !pkgimg_image_at(runtime, NULL));
  CHECK(!pkgimg_image_at(runtime, (void *)strlen) && !pkgimg_image_at(runtime, (void *)UINT64_MAX));
  pkgimg_runtime_close(runtime);
  events_take();
}

// ---- flags

static void no_code(void)
{
  struct pkgimg_runtime *runtime = open_reaching(PKGIMG_RUNTIME_NO_CODE);
  struct pkgimg_image *top = load_named(runtime, "top"), *leaf = load_named(runtime, "leaf");
  CHECK_OK(pkgimg_init(top, &error), &error);
  CHECK(*(int *)symbol(leaf, "leaf_object") == 7);
  CHECK(symbol(leaf, "leaf_ifunc") != NULL);
  pkgimg_runtime_close(runtime);
  expect_events("");
  CHECK(world_leaked(&before) == 0);
}

// A flipped byte of code is no concern of a plain load; VERIFY and pkgimg_verify find it.
static void verify(void)
{
  size_t size;
  uint8_t *bytes = read_all(image_path("leaf"), &size);
  struct pkgimg_runtime *runtime = open_reaching(PKGIMG_RUNTIME_VERIFY), *plain = open_reaching(0);
  struct pkgimg_image *image = load_named(runtime, "top");
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];
  pkgimg_image_areas(image, areas);
  CHECK_OK(pkgimg_verify(image_path("top"), &error), &error);
  bytes[areas[1].file_offset + 1] ^= 1;
  write_all(scratch_path("leaf.so"), bytes, size);
  CHECK_STATUS(pkgimg_verify(scratch_path("leaf.so"), &error), PKGIMG_MISMATCH, &error);
  pkgimg_runtime_close(runtime);
  runtime = open_reaching(PKGIMG_RUNTIME_VERIFY);
  CHECK_STATUS(pkgimg_load(runtime, scratch_path("leaf.so"), &image, &error), PKGIMG_MISMATCH, &error);
  free(bytes);
  pkgimg_runtime_close(runtime);
  pkgimg_runtime_close(plain);
  events_take();
  CHECK(world_leaked(&before) == 0);
}

// ---- nested loads

static struct pkgimg_runtime *nested_runtime;
static struct pkgimg_image *nested_image;
static enum pkgimg_status nested_status;

__attribute__((visibility("default"))) void unit_in_constructor(void);
void unit_in_constructor(void)
{
  nested_status =
      nested_runtime ? pkgimg_load(nested_runtime, image_path("left"), &nested_image, NULL) : PKGIMG_OK;
}
__attribute__((visibility("default"))) void unit_in_destructor(void);
void unit_in_destructor(void)
{
  pkgimg_close(nested_image);
  nested_image = NULL;
}

static void constructor_loads(void)
{
  nested_runtime = open_reaching(0);
  struct pkgimg_image *nested = load_named(nested_runtime, "nested");
  CHECK(nested_status == PKGIMG_OK && nested_image != NULL);
  expect_events("construct leaf; construct left");
  CHECK(((int (*)(int))symbol(nested_image, "left_function"))(1) == 8);
  pkgimg_close(nested);
  expect_events("atexit left; destruct left; atexit leaf; destruct leaf");
  pkgimg_runtime_close(nested_runtime);
  nested_runtime = NULL;
  CHECK(world_leaked(&before) == 0);
}

// ---- failures

static void wrong_arguments(void)
{
  struct pkgimg_runtime_options options = {.size = 3};
  struct pkgimg_runtime *runtime = NULL;
  struct pkgimg_image *image = NULL;
  struct pkgimg_stats stats = {.size = 1};
  CHECK_STATUS(pkgimg_runtime_open(&options, &runtime, &error), PKGIMG_INVALID_ARGUMENT, &error);
  options = (struct pkgimg_runtime_options){.size = sizeof options, .prefetch = 99};
  CHECK_STATUS(pkgimg_runtime_open(&options, &runtime, &error), PKGIMG_INVALID_ARGUMENT, &error);
  options = (struct pkgimg_runtime_options){.size = sizeof options, .flags = 1u << 31};
  CHECK_STATUS(pkgimg_runtime_open(&options, &runtime, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(pkgimg_load(NULL, "x", &image, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(pkgimg_init(NULL, &error), PKGIMG_INVALID_ARGUMENT, &error);
  runtime = open_reaching(0);
  CHECK_STATUS(pkgimg_load(runtime, NULL, &image, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK_STATUS(pkgimg_runtime_stats(runtime, &stats, &error), PKGIMG_INVALID_ARGUMENT, &error);
  CHECK(pkgimg_load(runtime, "/no/such/file.so", &image, NULL) == PKGIMG_NOT_FOUND);
  pkgimg_runtime_close(runtime);
}

static void copy_to_scratch(const char *name, const char *as)
{
  size_t size;
  uint8_t *bytes = read_all(image_path(name), &size);
  write_all(scratch_path(as), bytes, size);
  free(bytes);
}

static void dependencies_not_as_built(void)
{
  struct pkgimg_runtime *runtime = open_reaching(0);
  struct pkgimg_image *image = NULL;
  copy_to_scratch("left", "left.so");
  remove(scratch_path("leaf.so"));
  CHECK_STATUS(pkgimg_load(runtime, scratch_path("left.so"), &image, &error), PKGIMG_NOT_FOUND, &error);
  CHECK(strcmp(error.name, "leaf") == 0);
  copy_to_scratch("other-leaf", "leaf.so");
  CHECK_STATUS(pkgimg_load(runtime, scratch_path("left.so"), &image, &error), PKGIMG_MISMATCH, &error);
  copy_to_scratch("leaf", "leaf.so");
  CHECK_OK(pkgimg_load(runtime, scratch_path("left.so"), &image, &error), &error);
  pkgimg_runtime_close(runtime);
  events_take();
  CHECK(world_leaked(&before) == 0);
}

static void search_path(void)
{
  const char *folders[] = {"/no/such/folder", image_folder()};
  struct pkgimg_runtime_options options = {.size = sizeof options, .search_path = folders, .search_path_count = 2};
  struct pkgimg_runtime *runtime = NULL;
  struct pkgimg_image *image = NULL;
  copy_to_scratch("top", "top.so");
  remove(scratch_path("left.so"));
  remove(scratch_path("leaf.so"));
  CHECK_OK(pkgimg_runtime_open(&options, &runtime, &error), &error);
  CHECK_OK(pkgimg_load(runtime, scratch_path("top.so"), &image, &error), &error);
  pkgimg_runtime_close(runtime);
  events_take();
}

static void loads_that_fail_leave_nothing(void)
{
  size_t size;
  uint8_t *bytes = read_all(image_path("leaf"), &size);
  struct pkgimg_runtime *runtime = open_reaching(0);
  struct pkgimg_image *image = NULL;
  for (size_t cut = 0; cut < size; cut += 1 + size / 61) {
    write_all(scratch_path("cut.so"), bytes, cut);
    enum pkgimg_status status = pkgimg_load(runtime, scratch_path("cut.so"), &image, &error);
    CHECK(status == PKGIMG_OK ? cut > size / 2 : error.status == status && error.text[0]);
    if (status == PKGIMG_OK)
      pkgimg_close(image);
  }
  free(bytes);
  CHECK(pkgimg_load(runtime, scratch_folder(), &image, &error) != PKGIMG_OK);
  CHECK(pkgimg_load(runtime, "/dev/null", &image, &error) != PKGIMG_OK);
  CHECK_STATUS(pkgimg_load(runtime, "/proc/self/exe", &image, &error), PKGIMG_NOT_AN_IMAGE, &error);
  CHECK(world_leaked(&before) == 0);
  pkgimg_runtime_close(runtime);
  events_take();
}

// What one region cannot hold.
static void several_regions(void)
{
  reach = 1;
  struct pkgimg_runtime *runtime = open_reaching(0);
  struct pkgimg_image *top = load_named(runtime, "top");
  CHECK(load_named(runtime, "left")->slot.region != top->slot.region);
  pkgimg_runtime_close(runtime);
  events_take();
  order();
  references();
  symbols_of_every_kind();
  addresses();
  constructor_loads();
  loads_that_fail_leave_nothing();
  reach = 0;
}

int main(void)
{
  // The first load may have ld.so and libc make things that stay.
  struct pkgimg_runtime *runtime = open_reaching(0);
  load_named(runtime, "top");
  pkgimg_runtime_close(runtime);
  events_take();
  world_look(&before);
  order();
  references();
  same_under_another_path();
  runtime_closed_first();
  two_runtimes();
  symbols_of_every_kind();
  addresses();
  no_code();
  verify();
  constructor_loads();
  wrong_arguments();
  dependencies_not_as_built();
  search_path();
  loads_that_fail_leave_nothing();
  several_regions();
  return check_verdict();
}
