// SPDX-License-Identifier: MIT
//
// Types of bundles: ready, without work or a written page; one object for each, whoever states it, in whatever
// order bundles and images come; found exactly while a loaded image states them; and the same answers as without a
// bundle.
#include "tests/unit/bundles.h"
#include "tests/unit/questions.h"

#include <pkgimg/inspect.h>
#include <pkgimg/types.h>
#include <pthread.h>
#include <stdatomic.h>

CHECK_MAIN_FILE

static struct world before;
static const uint64_t first_base = 0x200044000000, second_base = 0x210000000000;

static bool lies_in_bundle(const struct pkgimg_type *type, uint64_t base)
{
  return (uint64_t)type - base < 1ull << 36;
}

// The id of a type, as a runtime of its own knows it.
static void id_of(const char *image, const char *name, uint8_t id[16])
{
  struct pkgimg_type_info info;
  struct pkgimg_runtime *runtime = open_runtime(0);
  load_named(runtime, image);
  CHECK_OK(pkgimg_type_describe(type_named(runtime, name), &info, &error), &error);
  memcpy(id, info.id, 16);
  pkgimg_runtime_close(runtime);
}

static void end(struct pkgimg_runtime *runtime)
{
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
  events_take();
}

// ---- nothing to do

struct census {
  uint64_t of[PKGIMG_PAGES_COUNT], all;
};

static void count_pages(void *context, const struct pkgimg_pages *pages)
{
  struct census *census = context;
  census->of[pages->of] += pages->count;
  census->all += pages->count;
}

// Pages that this process has written.
static struct census written(struct pkgimg_runtime *runtime)
{
  struct census census = {0};
  CHECK_OK(pkgimg_runtime_pages(runtime, count_pages, &census, &error), &error);
  return census;
}

static void no_page_written(void)
{
  const char *path = bound_at("two.bundle", "kinds-two", first_base);
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *two = load(runtime, path);
  // The origin of the types, where the words of gates are.
  struct pkgimg_stats stats = stats_of(runtime);
  CHECK(stats.pages_written == 1 && stats.images == 1 && stats.images_bound == 1);
  struct census pages = written(runtime);
  CHECK(pages.all == 1 && pages.of[PKGIMG_PAGES_GATE] == 1);
  const struct pkgimg_type *own = type_from(two, "two_own"), *base = type_from(two, "two_base"), *shape;
  CHECK(lies_in_bundle(own, first_base) && pkgimg_subtype(own, base) && !pkgimg_subtype(base, own));
  CHECK(type_named(runtime, "kinds.two") == own && type_named(runtime, "kinds.base") == base);
  shape = type_named(runtime, "Shape");
  CHECK(pkgimg_subtype(own, shape) && pkgimg_subtype(own, type_named(runtime, "Thing")));
  // What it needs has the same objects, without a struct of the loader's.
  const struct pkgimg_type *below = (**(const struct pkgimg_type *(**)(void))symbol(two, "two_below"))();
  CHECK(below == type_named(runtime, "kinds.one") && pkgimg_subtype(below, base));
  CHECK(stats_of(runtime).images == 1);
  // Types once, as often as they are stated.
  struct pkgimg_bundle_inspection *inspection;
  struct pkgimg_inspection *images[2];
  CHECK_OK(pkgimg_bundle_inspection_open(path, &inspection, &error), &error);
  CHECK_OK(pkgimg_inspection_open(image_path("kinds-one"), &images[0], &error), &error);
  CHECK_OK(pkgimg_inspection_open(image_path("kinds-two"), &images[1], &error), &error);
  const struct pkgimg_bundle_summary *summary = pkgimg_bundle_inspection_summary(inspection);
  size_t stated = pkgimg_inspection_summary(images[0])->types;
  CHECK(stated > 10 && pkgimg_inspection_summary(images[1])->types == stated);
  CHECK(summary->types == stated + 1 && summary->type_statements == 2 * stated);
  pkgimg_inspection_close(images[0]);
  pkgimg_inspection_close(images[1]);
  pkgimg_bundle_inspection_close(inspection);
  // Neither questions nor other images of the bundle write to it. To load what is loaded takes as many calls.
  uint64_t calls = stats_of(runtime).system_calls;
  load_named(runtime, "kinds-two");
  uint64_t again = stats_of(runtime).system_calls - calls;
  struct pkgimg_image *one = load_named(runtime, "kinds-one");
  CHECK(stats_of(runtime).system_calls == calls + 2 * again);
  CHECK(type_from(one, "one_base") == base && type_from(one, "one_list") == type_from(two, "two_list"));
  CHECK(stats_of(runtime).images_bound == 2 && stats_of(runtime).pages_written == 1);
  CHECK(written(runtime).all == 1);
  end(runtime);
}

// Where something is to be done for one image, nothing is for those that only state types.
static void only_for_others(void)
{
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *busy = load(runtime, bound_at("busy.bundle", "kinds-busy", first_base));
  expect_events("construct leaf");
  CHECK(stats_of(runtime).images == 2 && type_is_found(runtime, "kinds.one") && type_from(busy, "busy_own"));
  end(runtime);
}

// ---- who states a type

// Those of images that nobody asked for, and nobody needs, are not there.
static void only_of_loaded_images(void)
{
  uint8_t own[16], aside[16], list[16];
  const char *path = bound_at("two.bundle", "kinds-three shapes-one kinds-two", first_base);
  id_of("kinds-three", "kinds.three", own);
  id_of("kinds-three", "kinds.aside", aside);
  id_of("kinds-three", "List", list);
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *two = load(runtime, path);
  CHECK(!pkgimg_type_by_id(runtime, own) && pkgimg_type_by_id(runtime, list) == type_from(two, "two_list"));
  CHECK(!type_is_found(runtime, "kinds.three") && !type_is_found(runtime, "kinds.aside") &&
        type_is_found(runtime, "kinds.one"));
  CHECK(!type_is_found(runtime, "kinds.four"));
  // One of them is stated by an image of its own file, which gets the bundle's object.
  struct pkgimg_image *four = load_named(runtime, "kinds-four");
  const struct pkgimg_type *type = type_from(four, "four_aside");
  CHECK(lies_in_bundle(type, first_base) && !lies_in_bundle(type_from(four, "four_own"), first_base));
  CHECK(type_from(four, "four_list") == type_from(two, "two_list") &&
        type_from(four, "four_base") == type_from(two, "two_base"));
  CHECK(written(runtime).of[PKGIMG_PAGES_TYPES] == 1);
  CHECK(pkgimg_type_by_id(runtime, aside) == type && type_named(runtime, "kinds.aside") == type);
  CHECK(!pkgimg_type_by_id(runtime, own) && !type_is_found(runtime, "kinds.three"));
  CHECK(pkgimg_subtype(type_from(four, "four_own"), type_from(two, "two_base")));
  pkgimg_close(four);
  CHECK(!pkgimg_type_by_id(runtime, aside) && !type_is_found(runtime, "kinds.aside") &&
        !type_is_found(runtime, "kinds.four"));
  // The same by an image without a type of its own.
  pkgimg_close(load_named(runtime, "kinds-again"));
  CHECK(!pkgimg_type_by_id(runtime, own) && !type_is_found(runtime, "kinds.three"));
  four = load_named(runtime, "kinds-again");
  CHECK(pkgimg_type_by_id(runtime, own) == type_from(four, "three_own") && type_is_found(runtime, "kinds.three"));
  pkgimg_close(four);
  CHECK(!pkgimg_type_by_id(runtime, own) && !type_is_found(runtime, "kinds.three"));
  // Then by the bundle's image.
  struct pkgimg_image *three = load_named(runtime, "kinds-three");
  CHECK(type_from(three, "three_aside") == type && pkgimg_type_by_id(runtime, aside) == type);
  CHECK(pkgimg_type_by_id(runtime, own) == type_from(three, "three_own") && type_is_found(runtime, "kinds.three"));
  pkgimg_close(three);  // an image of a bundle stays
  CHECK(type_is_found(runtime, "kinds.three"));
  end(runtime);
}

// The bundle comes second: objects are those of the image that came first, and live as long as an image states
// them.
static void image_first(void)
{
  struct pkgimg_type_info info;
  const char *path = bound_at("two.bundle", "kinds-three kinds-two", first_base);
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *four = load_named(runtime, "kinds-four");
  const struct pkgimg_type *list = type_from(four, "four_list"), *base = type_named(runtime, "kinds.base");
  uint64_t before_it = stats_of(runtime).pages_written, constants = written(runtime).of[PKGIMG_PAGES_CONSTANTS];
  struct pkgimg_image *two = load(runtime, path);
  expect_refusal(runtime, NULL);
  // Its images are work now, and words are written.
  CHECK(stats_of(runtime).images_bound == 2 && stats_of(runtime).pages_written == before_it + 1 + 2);
  CHECK(written(runtime).of[PKGIMG_PAGES_CONSTANTS] == constants + 2);
  CHECK(type_from(two, "two_list") == list && type_from(two, "two_base") == base &&
        type_named(runtime, "List") == list);
  CHECK(!type_is_found(runtime, "kinds.three"));
  pkgimg_close(four);
  CHECK(!type_is_found(runtime, "kinds.four") && !type_is_found(runtime, "kinds.aside") &&
        type_named(runtime, "List") == list);
  CHECK_OK(pkgimg_type_describe(list, &info, &error), &error);
  CHECK(strcmp(info.name, "List") == 0 && pkgimg_subtype(list, type_named(runtime, "Thing")));
  struct pkgimg_image *three = load_named(runtime, "kinds-three");
  CHECK(type_from(three, "three_list") == list && type_from(three, "three_base") == base &&
        type_is_found(runtime, "kinds.aside"));
  end(runtime);
}

// An image without any of these types is no reason.
static void other_image_first(void)
{
  const char *path = bound_at("three.bundle", "kinds-three", first_base);
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *leaf = load_named(runtime, "leaf");
  uint64_t before_it = stats_of(runtime).pages_written;
  CHECK(leaf && lies_in_bundle(type_from(load(runtime, path), "three_list"), first_base));
  CHECK(stats_of(runtime).pages_written == before_it + 1);
  end(runtime);
}

static void two_bundles(void)
{
  const char *first = bound_at("two.bundle", "kinds-two", first_base),
             *second = bound_at("three.bundle", "kinds-three", second_base);
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *two = load(runtime, first), *three = load(runtime, second);
  expect_refusal(runtime, NULL);
  CHECK(type_from(two, "two_list") == type_from(three, "three_list") &&
        type_from(two, "two_base") == type_from(three, "three_base"));
  CHECK(lies_in_bundle(type_from(three, "three_list"), first_base) &&
        !lies_in_bundle(type_from(three, "three_own"), second_base));
  CHECK(type_named(runtime, "kinds.three") == type_from(three, "three_own") &&
        type_is_found(runtime, "kinds.one"));
  CHECK(pkgimg_subtype(type_from(three, "three_own"), type_named(runtime, "Thing")));
  struct pkgimg_image *four = load_named(runtime, "kinds-four");
  CHECK(type_from(four, "four_aside") == type_from(three, "three_aside"));
  end(runtime);
}

// What one process has open, another runtime of it cannot: images come from their files, with objects of their
// own.
static void two_runtimes(void)
{
  const char *path = bound_at("two.bundle", "kinds-two", first_base);
  struct pkgimg_runtime *runtime = open_runtime(0), *other = open_runtime(0);
  const struct pkgimg_type *own = type_from(load(runtime, path), "two_own"),
                           *others = type_from(load(other, path), "two_own");
  expect_refusal(other, "");
  CHECK(own != others && type_named(runtime, "kinds.two") == own && type_named(other, "kinds.two") == others);
  pkgimg_runtime_close(runtime);
  CHECK(type_named(other, "kinds.two") == others);
  end(other);
}

// ---- begin, fail, end

static void opened_again(void)
{
  const char *path = bound_at("two.bundle", "shapes-one kinds-two", first_base);
  for (int round = 0; round < 3; round++) {
    struct pkgimg_runtime *runtime = open_runtime(0);
    struct pkgimg_image *four = round == 1 ? load_named(runtime, "kinds-four") : NULL, *two = load(runtime, path),
                        *shapes = load_named(runtime, "shapes-one");
    const struct pkgimg_type *circle = type_named(runtime, "Circle");
    void *address = NULL;
    CHECK(type_from(two, "two_list") == type_from(shapes, "shapes_list") &&
          type_from(shapes, "shapes_circle") == circle);
    CHECK(lies_in_bundle(circle, first_base) == (round != 1) && (!four || type_from(four, "four_list")));
    CHECK_OK(pkgimg_method(runtime, "shapes.area", &circle, 1, &address, &error), &error);
    CHECK(((int (*)(void))(uintptr_t)address)() == 101);
    end(runtime);
  }
}

// A load that fails leaves neither objects nor names; other images make theirs then.
static void undone(void)
{
  const char *path = bound_at("wants.bundle", "kinds-three wants", first_base);
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *image, *four = NULL;
  CHECK_STATUS(pkgimg_load(runtime, path, &image, &error), PKGIMG_UNDEFINED_SYMBOL, &error);
  CHECK(!type_is_found(runtime, "kinds.aside"));
  four = load_named(runtime, "kinds-four");
  CHECK(!lies_in_bundle(type_from(four, "four_aside"), first_base) &&
        type_named(runtime, "List") == type_from(four, "four_list"));
  // Once more with types that are in use: the bundle's are not taken, nor lost.
  CHECK_STATUS(pkgimg_load(runtime, path, &image, &error), PKGIMG_UNDEFINED_SYMBOL, &error);
  CHECK(type_named(runtime, "kinds.aside") == type_from(four, "four_aside"));
  end(runtime);
}

// ---- threads

static atomic_bool stop;
static struct pkgimg_runtime *shared;

static void *look_up(void *argument)
{
  struct pkgimg_error local;
  const struct pkgimg_type *list = argument, *type;
  struct pkgimg_type_info info;
  unsigned long wrong = 0;
  while (!atomic_load(&stop)) {
    wrong += pkgimg_type_find(shared, "List", &type, &local) != PKGIMG_OK || type != list;
    wrong += pkgimg_type_describe(list, &info, &local) != PKGIMG_OK || strcmp(info.name, "List") != 0;
    wrong += pkgimg_type_by_id(shared, info.id) != list;
    if (pkgimg_type_find(shared, "kinds.three", &type, &local) == PKGIMG_OK)
      wrong += !pkgimg_subtype(type, pkgimg_type_describe(type, &info, &local) ? NULL : info.supertype);
  }
  CHECK(wrong == 0);
  return NULL;
}

static void looked_up_while_others_load(void)
{
  enum { THREADS = 3, ROUNDS = 200 };
  pthread_t threads[THREADS];
  const char *path = bound_at("two.bundle", "kinds-three shapes-one kinds-two", first_base);
  shared = open_runtime(0);
  struct pkgimg_image *two = load(shared, path);
  atomic_store(&stop, false);
  for (int i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, look_up, (void *)(uintptr_t)type_from(two, "two_list"));
  for (int i = 0; i < ROUNDS; i++) {
    struct pkgimg_image *four = load_named(shared, "kinds-four");
    if (i == ROUNDS / 3)
      load_named(shared, "kinds-three");
    if (i == ROUNDS / 2)
      load_named(shared, "shapes-one");
    pkgimg_close(four);
  }
  atomic_store(&stop, true);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  end(shared);
}

int main(void)
{
  world_look(&before);
  for (int regions = 0; regions < 2; regions++) {
    bound_reach = (uint64_t)regions;
    if (!regions)
      no_page_written();
    only_for_others();
    only_of_loaded_images();
    if (!regions)
      image_first();
    other_image_first();
    two_bundles();
    two_runtimes();
    opened_again();
    undone();
  }
  looked_up_while_others_load();
  return check_verdict();
}
