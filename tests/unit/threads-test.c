// SPDX-License-Identifier: MIT
//
// Many threads load overlapping closures; threads have thread-local objects in images that come and go; an
// image stays while a thread still has to destroy objects of it.
#include "tests/unit/check.h"
#include "tests/unit/events.h"
#include "tests/unit/loads.h"
#include "tests/unit/world.h"

#include <pthread.h>

CHECK_MAIN_FILE

enum { THREADS = 8, ROUNDS = 40 };
static struct pkgimg_runtime *shared;
static const char *const names[] = {"top",     "left",     "right",          "leaf",
                                    "tl-user", "tl-calls", "tl-descriptors", "tables"};

// ---- loading at the same time

static void *load_and_close(void *argument)
{
  size_t first = (uintptr_t)argument;
  for (int round = 0; round < ROUNDS; round++) {
    struct pkgimg_image *one = load_named(shared, names[(first + (size_t)round) % 8]);
    struct pkgimg_image *two = load_named(shared, names[(first * 3 + (size_t)round / 2) % 8]);
    struct pkgimg_area areas[PKGIMG_AREA_COUNT];
    pkgimg_image_areas(one, areas);
    CHECK(pkgimg_image_at(shared, (void *)areas[0].address) == one);
    pkgimg_close(round % 2 ? one : two);
    pkgimg_close(round % 2 ? two : one);
  }
  return NULL;
}

static void overlapping_closures(void)
{
  pthread_t threads[THREADS];
  shared = open_runtime(0);
  for (uintptr_t i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, load_and_close, (void *)i);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pkgimg_runtime_close(shared);
  events_take();
}

static void *with_own_runtime(void *argument)
{
  (void)argument;
  for (int round = 0; round < ROUNDS / 2; round++) {
    struct pkgimg_runtime *runtime = open_runtime(0);
    struct pkgimg_image *image = load_named(runtime, "top");
    CHECK(((int (*)(int))symbol(image, "top_function"))(round) == round + 7);
    pkgimg_runtime_close(runtime);
  }
  return NULL;
}

static void separate_runtimes(void)
{
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, with_own_runtime, NULL);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  events_take();
}

// ---- thread-local objects

struct stage {
  pthread_barrier_t barrier;
  struct pkgimg_image *image;
  const char *name;
  int *addresses[THREADS];
};
struct actor {
  struct stage *stage;
  int number;
};

static void *use_objects(void *argument)
{
  const struct actor *actor = argument;
  struct pkgimg_image *image = actor->stage->image;
  int (*sum)(void) = (int (*)(void))symbol(image, "tl_sum"), (*set)(int) = (int (*)(int))symbol(image, "tl_set");
  int *(*address)(void) = (int *(*)(void))symbol(image, "tl_address");
  int *(*page)(void) = (int *(*)(void))symbol(image, "tl_page_address");
  CHECK(sum() == 41 + 0 + 8 + 0 + 9 + 3 + 17);
  CHECK(set(actor->number) == 41 + actor->number + 8 + 1 + 9 + 3 + actor->number);
  actor->stage->addresses[actor->number] = address();
  CHECK(address() == symbol(image, "tl_initialised") && *address() == 41);
  CHECK((uintptr_t)page() % 4096 == 0 && (uintptr_t)symbol(image, "tl_wide") % 64 == 0);
  pthread_barrier_wait(&actor->stage->barrier);
  CHECK(sum() == 41 + actor->number + 8 + 1 + 9 + 3 + actor->number);
  return NULL;
}

static void objects_per_thread(const char *name)
{
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct stage stage = {.image = load_named(runtime, name), .name = name};
  struct actor actors[THREADS];
  pthread_t threads[THREADS];
  pthread_barrier_init(&stage.barrier, NULL, THREADS);
  for (int i = 0; i < THREADS; i++) {
    actors[i] = (struct actor){&stage, i};
    pthread_create(&threads[i], NULL, use_objects, &actors[i]);
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < THREADS; i++)
    for (int j = 0; j < i; j++)
      CHECK(stage.addresses[i] != stage.addresses[j]);
  pthread_barrier_destroy(&stage.barrier);
  pkgimg_runtime_close(runtime);
}

// One thread-local object of one image, through another image, the host's errno beside it.
static void objects_of_a_dependency(const char *name)
{
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *user = load_named(runtime, name), *owner = load_named(runtime, "tl-calls");
  CHECK(((int (*)(void))symbol(user, "user_sum"))() == 41 + 0 + 5);
  CHECK(((int *(*)(void))symbol(user, "user_address"))() == symbol(owner, "tl_initialised"));
  CHECK(((int (*)(void))symbol(user, "user_errno"))() == 33);
  pkgimg_runtime_close(runtime);
}

// A module's id may be used again: what the thread had for it must not be seen by the next.
static void ids_used_again(void)
{
  for (int i = 0; i < 10; i++) {
    struct pkgimg_runtime *runtime = open_runtime(0);
    struct pkgimg_image *image = load_named(runtime, i % 2 ? "tl-calls" : "tl-descriptors");
    CHECK(((int (*)(void))symbol(image, "tl_sum"))() == 78);
    ((int (*)(int))symbol(image, "tl_set"))(1000);
    pkgimg_runtime_close(runtime);
  }
}

// ---- destructors that wait for their threads

struct pending {
  pthread_barrier_t barrier;
  struct pkgimg_image *image;
};

static void *touch_and_wait(void *argument)
{
  struct pending *pending = argument;
  CHECK(((int (*)(void))symbol(pending->image, "pending_touch"))() == 1);
  pthread_barrier_wait(&pending->barrier);
  pthread_barrier_wait(&pending->barrier);
  return NULL;
}

static pthread_t start_pending(struct pending *pending, struct pkgimg_runtime *runtime)
{
  pthread_t thread;
  pending->image = load_named(runtime, "pending");
  pthread_barrier_init(&pending->barrier, NULL, 2);
  pthread_create(&thread, NULL, touch_and_wait, pending);
  pthread_barrier_wait(&pending->barrier);
  return thread;
}

static void end_pending(struct pending *pending, pthread_t thread)
{
  pthread_barrier_wait(&pending->barrier);
  pthread_join(thread, NULL);
  pthread_barrier_destroy(&pending->barrier);
}

static void closed_before_the_thread_ends(void)
{
  static struct world before;
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pending pending;
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];
  world_look(&before);
  pthread_t thread = start_pending(&pending, runtime);
  pkgimg_image_areas(pending.image, areas);
  pkgimg_close(pending.image);
  static struct world now;
  world_look(&now);
  CHECK(strcmp(world_protection(&now, areas[1].address, areas[1].memory_size), "r-xp") == 0);
  end_pending(&pending, thread);
  CHECK(strcmp(events_take(), "destruct pending; thread's object destroyed") == 0);
  world_look(&now);
  CHECK(strcmp(world_protection(&now, areas[1].address, areas[1].memory_size), "r-xp") != 0);
  pkgimg_runtime_close(runtime);
}

static void runtime_closed_before_the_thread_ends(void)
{
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pending pending;
  pthread_t thread = start_pending(&pending, runtime);
  pkgimg_runtime_close(runtime);
  end_pending(&pending, thread);
  CHECK(strcmp(events_take(), "destruct pending; thread's object destroyed") == 0);
}

static void ordinary_end(void)
{
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pending pending;
  pthread_t thread = start_pending(&pending, runtime);
  end_pending(&pending, thread);
  CHECK(strcmp(events_take(), "thread's object destroyed") == 0);
  pkgimg_close(pending.image);
  CHECK(strcmp(events_take(), "destruct pending") == 0);
  pkgimg_runtime_close(runtime);
}

static void all_of_it(void)
{
  overlapping_closures();
  separate_runtimes();
  objects_per_thread("tl-calls");
  objects_per_thread("tl-descriptors");
  objects_of_a_dependency("tl-user");
  objects_of_a_dependency("tl-user-descriptors");
  ids_used_again();
  ordinary_end();
  closed_before_the_thread_ends();
  runtime_closed_before_the_thread_ends();
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
