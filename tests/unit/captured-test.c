// SPDX-License-Identifier: MIT
//
// Images with captured objects, three of them in a chain that points from heap to heap: in one runtime and two, again
// after they were closed, from many threads, without running code, cut off; and what happens at their end.
#include "tests/unit/check.h"
#include "tests/unit/events.h"
#include "tests/unit/loads.h"
#include "tests/unit/world.h"

#include <pthread.h>

CHECK_MAIN_FILE

enum { ENTRIES = 300 };
static struct pkgimg_error error;

static bool is_whole(struct pkgimg_image *image, const char *check)
{
  return ((int (*)(void))symbol(image, check))() == ENTRIES;
}

static void spoil(struct pkgimg_image *image, const char *name)
{
  ((void (*)(void))symbol(image, name))();
}

static const char ends[] = "atexit three; atexit two; atexit one";

// Constructors ran when the images were built; what they registered for the end runs in each process.
static void loaded_and_closed(void)
{
  struct pkgimg_runtime *runtime = open_runtime(0);
  for (int i = 0; i < 3; i++) {
    struct pkgimg_image *three = load_named(runtime, "captured-three");
    struct pkgimg_image *two = load_named(runtime, "captured-two"), *one = load_named(runtime, "captured-one");
    expect_events("");
    CHECK(is_whole(one, "one_check") && is_whole(two, "two_check") && is_whole(three, "three_check"));
    spoil(three, "three_spoil");
    spoil(two, "two_spoil");
    CHECK(is_whole(one, "one_check"));
    spoil(one, "one_spoil");
    pkgimg_close(one);
    pkgimg_close(two);
    expect_events("");
    pkgimg_close(three);
    expect_events(ends);
  }
  pkgimg_runtime_close(runtime);
}

static void separate_runtimes(void)
{
  struct pkgimg_runtime *runtimes[] = {open_runtime(0), open_runtime(PKGIMG_RUNTIME_VERIFY)};
  struct pkgimg_image *images[] = {load_named(runtimes[0], "captured-two"),
                                   load_named(runtimes[1], "captured-two")};
  CHECK(*(void **)symbol(images[0], "two_head") != *(void **)symbol(images[1], "two_head"));
  CHECK(is_whole(images[0], "two_check") && is_whole(images[1], "two_check"));
  spoil(images[0], "two_spoil");
  CHECK(is_whole(images[1], "two_check"));
  pkgimg_runtime_close(runtimes[0]);
  CHECK(is_whole(images[1], "two_check"));
  pkgimg_runtime_close(runtimes[1]);
  expect_events("atexit two; atexit one; atexit two; atexit one");
}

// The dependency stays when its dependent goes, and is the same one for the next.
static void one_below_two(void)
{
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *one = load_named(runtime, "captured-one"), *two = load_named(runtime, "captured-two");
  void *head = *(void **)symbol(one, "one_head");
  pkgimg_close(two);
  struct pkgimg_image *beside = load_named(runtime, "captured-beside");
  CHECK(is_whole(beside, "beside_check") && *(void **)symbol(one, "one_head") == head);
  two = load_named(runtime, "captured-two");
  CHECK(is_whole(two, "two_check") && is_whole(beside, "beside_check"));
  pkgimg_runtime_close(runtime);
  expect_events("atexit two; atexit two; atexit beside; atexit one");
}

// ---- without code: the data is there

struct entry {
  struct entry *next, *below;
  char *name;
  void *function;
  long *number;
  void *host;
  long serial;
};

static void without_code(void)
{
  struct pkgimg_runtime *runtime = open_runtime(PKGIMG_RUNTIME_NO_CODE);
  struct pkgimg_image *three = load_named(runtime, "captured-three"), *two = load_named(runtime, "captured-two");
  struct entry **below = *(struct entry ***)symbol(two, "two_table");
  long serial = ENTRIES;
  for (const struct entry *entry = *(struct entry **)symbol(three, "three_head"); entry; entry = entry->next) {
    CHECK(entry->serial == --serial && strcmp(entry->name, "three") == 0 && *entry->number == 3 * serial);
    CHECK(entry->below == below[serial] && strcmp(entry->below->name, "two") == 0);
    CHECK(entry->function == symbol(serial % 2 ? three : two, serial % 2 ? "three_function" : "two_function"));
  }
  CHECK(serial == 0);
  pkgimg_runtime_close(runtime);
  expect_events("");
}

// ---- many threads

enum { THREADS = 8, ROUNDS = 40 };

static void *load_and_close(void *argument)
{
  struct pkgimg_runtime *shared = argument, *own = open_runtime(0);
  static const char *const names[] = {"captured-one", "captured-two", "captured-three"};
  static const char *const checks[] = {"one_check", "two_check", "three_check"};
  for (int i = 0; i < ROUNDS; i++) {
    struct pkgimg_image *image = load_named(shared, names[i % 3]), *mine = load_named(own, names[(i + 1) % 3]);
    CHECK(is_whole(image, checks[i % 3]));
    CHECK(is_whole(mine, checks[(i + 1) % 3]));
    spoil(mine, i % 3 == 0 ? "two_spoil" : i % 3 == 1 ? "three_spoil" : "one_spoil");
    char *text = strdup("the host's own objects are freed meanwhile");
    pkgimg_close(mine);
    free(text);
    pkgimg_close(image);
  }
  pkgimg_runtime_close(own);
  return NULL;
}

static void many_threads(void)
{
  struct pkgimg_runtime *shared = open_runtime(0);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_create(&threads[i], NULL, load_and_close, shared) == 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pkgimg_runtime_close(shared);
  events_take();
}

// ---- files that end within the heap

static void cut_off(void)
{
  size_t size;
  uint8_t *bytes = read_all(image_path("captured-one"), &size);
  struct pkgimg_runtime *runtime = open_runtime(0);
  const char *path = scratch_path("captured-one.so");
  for (size_t cut = size & ~(size_t)4095; cut > 0; cut -= 4096) {
    struct pkgimg_image *image = NULL;
    write_all(path, bytes, cut);
    enum pkgimg_status status = pkgimg_load(runtime, path, &image, &error);
    // What lies behind the heap is for debuggers.
    if (status == PKGIMG_OK)
      CHECK(is_whole(image, "one_check"));
    else
      CHECK(status == PKGIMG_TRUNCATED && strstr(error.text, path));
    pkgimg_close(image);
  }
  pkgimg_runtime_close(runtime);
  free(bytes);
  events_take();
}

static void all_of_it(void)
{
  loaded_and_closed();
  separate_runtimes();
  one_below_two();
  without_code();
  many_threads();
  cut_off();
}

int main(void)
{
  static struct world before;
  all_of_it();  // once, so that libc has its stacks and arenas
  world_look(&before);
  all_of_it();
  CHECK(world_is_sanitized() || world_leaked(&before) == 0);
  return check_verdict();
}
