// SPDX-License-Identifier: MIT
//
// Bundles beside other things: images of their own files, other bundles, other runtimes; what lies where a bundle
// should go; other processors and boots; the end.
#include "base/hash.h"
#include "format/bundle.h"
#include "tests/unit/bundles.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

CHECK_MAIN_FILE

static struct world before;

// ---- other images

// An image is in a runtime once, and those who depend on it agree on where.
static void own_file_first(void)
{
  const char *path = bound("top.bundle", "top", NULL, NULL);
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *leaf = load(runtime, image_path("leaf")), *top = load(runtime, path);
  expect_refusal(runtime, "leaf: is loaded already, from");
  expect_events("construct leaf; construct left; construct right; construct top");
  CHECK(*(void **)symbol(top, "top_two") == symbol(leaf, "leaf_function"));
  CHECK(load(runtime, path) == top && load(runtime, image_path("leaf")) == leaf);
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
  events_take();
}

static void bundles_that_share(void)
{
  const char *left_path = bound("left.bundle", "left", NULL, NULL);
  const char *right_path = bound("right.bundle", "right", NULL, NULL);
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *left = load(runtime, left_path), *right = load(runtime, right_path);
  expect_refusal(runtime, "leaf: is loaded already, from");
  expect_events("construct leaf; construct left; construct right");
  CHECK(*(void **)symbol(left, "left_one") == *(void **)symbol(right, "right_one"));
  CHECK(strstr(pkgimg_image_path(right), "right.so"));
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
  events_take();
}

static void bundles_apart(void)
{
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *leaf = load(runtime, bound("leaf.bundle", "leaf", NULL, NULL));
  struct pkgimg_image *user = load(runtime, bound("bodies.bundle", "bodies-user", NULL, NULL));
  expect_refusal(runtime, NULL);
  CHECK(((int (*)(int))symbol(leaf, "leaf_function"))(1) == 8 &&
        ((int (*)(void))symbol(user, "bodies_call"))() == 21);
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
  events_take();
}

// Images of their own files whose dependencies are in a bundle: data, thread-local objects, chosen bodies.
static void outside(void)
{
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *leaf = load(runtime, bound("leaf.bundle", "tl-calls bodies leaf", NULL, NULL));
  struct pkgimg_image *left = load(runtime, image_path("left"));
  CHECK(*(void **)symbol(left, "left_one") == symbol(leaf, "leaf_function"));
  struct pkgimg_image *bodies = load(runtime, image_path("bodies")),
                      *user = load(runtime, image_path("bodies-user"));
  CHECK(strstr(pkgimg_image_path(bodies), "leaf.bundle") && strstr(pkgimg_image_path(user), "bodies-user.so"));
  CHECK(*(void **)symbol(user, "bodies_held") == symbol(bodies, "bodies_function"));
  CHECK(*(void **)symbol(bodies, "bodies_own") == symbol(bodies, "bodies_function"));
  CHECK(((int (*)(void))symbol(load(runtime, image_path("tl-user")), "user_sum"))() == 46);
  expect_events("construct leaf; construct left");
  pkgimg_runtime_close(runtime);
  expect_events("atexit left; destruct left; atexit leaf; destruct leaf");
  CHECK(world_leaked(&before) == 0);
}

static void two_runtimes(void)
{
  const char *path = bound("leaf.bundle", "leaf", NULL, NULL);
  struct pkgimg_runtime *first = open_runtime(0), *second = open_runtime(0);
  struct pkgimg_image *one = load(first, path), *other = load(second, path);
  expect_refusal(first, NULL);
  expect_refusal(second, "something else of the process");
  CHECK(symbol(one, "leaf_object") != symbol(other, "leaf_object"));
  pkgimg_runtime_close(first);
  pkgimg_runtime_close(second);
  CHECK(world_leaked(&before) == 0);
  first = open_runtime(0);
  load(first, path);
  expect_refusal(first, NULL);  // its place is free again
  pkgimg_runtime_close(first);
  events_take();
}

// ---- hosts that a bundle was not bound for

static void taken(void)
{
  struct pkgimg_bind_report report = {0};
  const char *path = bound("leaf.bundle", "leaf", NULL, &report);
  for (int block = 0; block < BLOCK_H; block++) {
    void *place = (void *)(report.base + bundle_starts[block] + FORMAT_PAGE);
    CHECK(mmap(place, FORMAT_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == place);
    struct pkgimg_runtime *runtime = open_runtime(0);
    struct pkgimg_image *leaf = load(runtime, path);
    expect_refusal(runtime, "something else of the process");
    CHECK(strstr(pkgimg_image_path(leaf), "leaf.so") && stats_of(runtime).images_bound == 0);
    CHECK(((int (*)(int))symbol(leaf, "leaf_function"))(1) == 8);
    pkgimg_runtime_close(runtime);
    munmap(place, FORMAT_PAGE);
  }
  CHECK(world_leaked(&before) == 0);
  events_take();
}

// Neither is it usable, nor are the images there: the reason is the error.
static void taken_and_alone(void)
{
  struct pkgimg_bind_report report = {0};
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  struct pkgimg_image *image;
  const char *copy = scratch_path("alone.so"), *path = scratch_path("alone.bundle");
  size_t size;
  uint8_t *bytes = read_all(image_path("leaf"), &size);
  write_all(copy, bytes, size);
  free(bytes);
  options.images = &copy;
  options.image_count = 1;
  options.output = path;
  options.base = 0x7fffffe00000;
  CHECK_OK(pkgimg_bind(&options, &report, &error), &error);
  unlink(copy);
  struct pkgimg_runtime *runtime = open_runtime(0);
  CHECK_STATUS(pkgimg_load(runtime, path, &image, &error), PKGIMG_BUSY, &error);
  CHECK(strstr(error.text, "address space") && strstr(error.text, "alone.bundle"));
  CHECK(stats_of(runtime).bundles_refused == 1);
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
}

static void another_processor(void)
{
  struct pkgimg_runtime_options options = {.size = sizeof options, .cpu_mask = "ssse3"};
  struct pkgimg_runtime *runtime;
  const char *path = bound("bodies.bundle", "bodies-user", NULL, NULL);
  CHECK_OK(pkgimg_runtime_open(&options, &runtime, &error), &error);
  CHECK(((int (*)(void))symbol(load(runtime, path), "bodies_call"))() == 21);
  expect_refusal(runtime, "ssse3");
  pkgimg_runtime_close(runtime);
  struct pkgimg_bind_options lesser = PKGIMG_BIND_OPTIONS_INIT;
  lesser.host = "x86-64";
  path = bound("bodies.bundle", "bodies-user", &lesser, NULL);
  CHECK_OK(pkgimg_runtime_open(&options, &runtime, &error), &error);
  CHECK(((int (*)(void))symbol(load(runtime, path), "bodies_call"))() == 21);
  expect_refusal(runtime, NULL);
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
}

// What counts is the code that was chosen, not what could have been.
static void only_what_was_chosen(void)
{
  struct pkgimg_runtime_options options = {.size = sizeof options, .cpu_mask = "avx"};
  struct pkgimg_runtime *runtime;
  struct pkgimg_bind_options narrow = PKGIMG_BIND_OPTIONS_INIT;
  narrow.max_vector_bits = 128;
  const char *path = bound("bodies.bundle", "bodies-wide", &narrow, NULL);
  CHECK_OK(pkgimg_runtime_open(&options, &runtime, &error), &error);
  CHECK(((int (*)(int))symbol(load(runtime, path), "bodies_function"))(20) == 21);
  expect_refusal(runtime, NULL);
  pkgimg_runtime_close(runtime);
}

static void forge(const char *path, size_t offset, uint8_t change)
{
  size_t size;
  uint8_t *bytes = read_all(path, &size);
  struct bundle_header *head = (struct bundle_header *)(void *)bytes;
  bytes[offset] ^= change;
  head->hash = hash64(bytes + BUNDLE_HASHED, sizeof *head - BUNDLE_HASHED);
  write_all(path, bytes, size);
  free(bytes);
}

static void another_boot(void)
{
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  options.aslr = PKGIMG_ASLR_BOOT;
  const char *path = bound("boot.bundle", "leaf", &options, NULL);
  for (int booted = 0; booted < 2; booted++) {
    struct pkgimg_runtime *runtime = open_runtime(0);
    CHECK(((int (*)(int))symbol(load(runtime, path), "leaf_function"))(1) == 8);
    expect_refusal(runtime, booted ? "restarted" : NULL);
    pkgimg_runtime_close(runtime);
    forge(path, offsetof(struct bundle_header, boot), 1);
  }
  CHECK(world_leaked(&before) == 0);
  events_take();
}

// Addresses that no two processes share: the bundle only tells which images to load.
static void drawn_per_process(void)
{
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  options.aslr = PKGIMG_ASLR_PROCESS;
  options.base = 0x200000400000;
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *leaf = load(runtime, bound("process.bundle", "leaf", &options, NULL));
  expect_refusal(runtime, "each process");
  struct pkgimg_stats stats = stats_of(runtime);
  CHECK(stats.images_bound == 0 && stats.images == 1 && stats.sites > stats.sites_final);
  CHECK((uint64_t)symbol(leaf, "leaf_function") - options.base > 4ull * FORMAT_AREA_LIMIT);
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
  events_take();
}

static void another_page_size(void)
{
  const char *path = bound("page.bundle", "leaf", NULL, NULL);
  forge(path, offsetof(struct bundle_header, page_size) + 1, 0x50);
  struct pkgimg_runtime *runtime = open_runtime(0);
  load(runtime, path);
  expect_refusal(runtime, "page size");
  pkgimg_runtime_close(runtime);
  events_take();
}

// ---- the end

static void kept_objects(void)
{
  const char *path = bound("quiet.bundle", "quiet-user", NULL, NULL);
  struct pkgimg_runtime *runtime = open_runtime(0);
  CHECK(((int (*)(void))symbol(load(runtime, path), "user_touch"))() == 3);
  expect_events("");
  pkgimg_runtime_close(runtime);
  expect_events("quiet's object destroyed");
  CHECK(world_leaked(&before) == 0);
}

struct waiting {
  pthread_barrier_t barrier;
  int (*touch)(void);
};

static void *touch_and_wait(void *argument)
{
  struct waiting *waiting = argument;
  CHECK(waiting->touch() == 1);
  pthread_barrier_wait(&waiting->barrier);
  pthread_barrier_wait(&waiting->barrier);
  return NULL;
}

// The last object of a thread unmaps what its runtime left.
static void thread_ends_last(void)
{
  pthread_t thread;
  struct waiting waiting;
  struct pkgimg_runtime *runtime = open_runtime(0);
  waiting.touch =
      (int (*)(void))symbol(load(runtime, bound("pending.bundle", "pending", NULL, NULL)), "pending_touch");
  pthread_barrier_init(&waiting.barrier, NULL, 2);
  pthread_create(&thread, NULL, touch_and_wait, &waiting);
  pthread_barrier_wait(&waiting.barrier);
  pkgimg_runtime_close(runtime);
  expect_events("destruct pending");
  pthread_barrier_wait(&waiting.barrier);
  pthread_join(thread, NULL);
  pthread_barrier_destroy(&waiting.barrier);
  expect_events("thread's object destroyed");
  static struct world now;
  world_look(&now);
  for (size_t i = 0; i < now.count; i++)
    CHECK(!strstr(now.mappings[i].path, "pending.bundle"));
}

static void say_events(void)
{
  const char *found = events_take();
  _exit(strcmp(found, "atexit leaf; destruct leaf") != 0);
}

static void end_of_process(void)
{
  const char *path = bound("leaf.bundle", "leaf", NULL, NULL);
  int status = 1;
  pid_t child = fork();
  if (child == 0) {
    atexit(say_events);
    load(open_runtime(0), path);
    events_take();
    exit(1);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

int main(void)
{
  pkgimg_runtime_close(open_runtime(0));
  CHECK(dlopen("libstdc++.so.6", RTLD_NOW));  // which an image names: once there, it stays
  world_look(&before);
  own_file_first();
  bundles_that_share();
  bundles_apart();
  outside();
  two_runtimes();
  taken();
  taken_and_alone();
  another_processor();
  only_what_was_chosen();
  another_boot();
  drawn_per_process();
  another_page_size();
  kept_objects();
  end_of_process();
  thread_ends_last();
  return check_verdict();
}
