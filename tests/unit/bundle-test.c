// SPDX-License-Identifier: MIT
//
// One bundle in a runtime: that its images are what they are from files of their own, and what a load of it
// writes.
#include "tests/unit/bundles.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>

CHECK_MAIN_FILE

static struct world before;

static void order(void)
{
  const char *path = bound("top.bundle", "top", NULL, NULL);
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *top = load(runtime, path);
  expect_refusal(runtime, NULL);
  CHECK(stats_of(runtime).images_bound == 4);
  expect_events("construct leaf; construct left; construct right; construct top");
  CHECK_OK(pkgimg_init(top, &error), &error);
  expect_events("init leaf; init left; init top");
  CHECK_OK(pkgimg_init(top, &error), &error);
  CHECK(((int (*)(int))symbol(top, "top_function"))(1) == 8 &&
        ((int (*)(void))symbol(top, "top_ifunc"))() == 1234);
  CHECK(*(int *)symbol(top, "top_thread_local") == 41 && strcmp(symbol(top, "top_constant"), "top constant") == 0);
  CHECK(load(runtime, path) == top && load(runtime, image_path("top")) == top);
  pkgimg_close(top);
  pkgimg_close(top);
  pkgimg_close(top);
  expect_events("");  // a bundle stays until its runtime ends
  CHECK(load(runtime, path) == top);
  pkgimg_runtime_close(runtime);
  expect_events("atexit top; destruct top; atexit right; destruct right; atexit left; destruct left; "
                "atexit leaf; destruct leaf");
  CHECK(world_leaked(&before) == 0);
}

// What nobody asked for is not even constructed.
static void others_sleep(void)
{
  const char *path = bound("one.bundle", "top nested pending leaf", NULL, NULL);
  struct pkgimg_runtime *runtime = open_runtime(0);
  load(runtime, path);
  expect_events("construct leaf");
  CHECK(stats_of(runtime).images_bound == 1);
  struct pkgimg_image *left = load(runtime, image_path("left"));  // found in the bundle
  expect_events("construct left");
  CHECK(strstr(pkgimg_image_path(left), "one.bundle") && stats_of(runtime).images_bound == 2);
  pkgimg_runtime_close(runtime);
  expect_events("atexit left; destruct left; atexit leaf; destruct leaf");
  CHECK(world_leaked(&before) == 0);
}

static void without_code(void)
{
  struct pkgimg_runtime *runtime = open_runtime(PKGIMG_RUNTIME_NO_CODE | PKGIMG_RUNTIME_VERIFY);
  struct pkgimg_image *top = load(runtime, bound("top.bundle", "top", NULL, NULL));
  CHECK_OK(pkgimg_init(top, &error), &error);
  CHECK(*(int **)symbol(top, "top_pointers") == symbol(top, "top_object"));
  pkgimg_runtime_close(runtime);
  expect_events("");
  CHECK(world_leaked(&before) == 0);
}

// ---- pages

static uint64_t dirty_pages(const char *path)
{
  char line[512];
  unsigned long size, total = 0;
  bool ours = false;
  FILE *file = fopen("/proc/self/smaps", "r");
  while (file && fgets(line, sizeof line, file)) {
    if (sscanf(line, "%lx-%lx", &size, &size) == 2)
      ours = strstr(line, path) != NULL;
    else if (ours && sscanf(line, "Private_Dirty: %lu", &size) == 1)
      total += size;
  }
  CHECK(file && fclose(file) == 0);
  return total / 4;
}

static void protections(void)
{
  static const char *const expected[PKGIMG_AREA_COUNT] = {"r-xp", "r-xp", "r--p", "rw-p", "rw-p"};
  static struct world now;
  struct pkgimg_bind_report report;
  const char *path = bound("top.bundle", "tables top", NULL, &report);
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];
  pkgimg_image_areas(load(runtime, path), areas);
  world_look(&now);
  CHECK(!world_has_writable_code(&now));
  for (int i = 0; i < PKGIMG_AREA_COUNT; i++)
    if (areas[i].memory_size)
      CHECK(strcmp(world_protection(&now, areas[i].address, areas[i].memory_size), expected[i]) == 0);
  size_t writable = 0, constant = 0, code = 0;
  for (size_t i = 0; i < now.count; i++)
    if (strcmp(now.mappings[i].path, path) == 0) {
      writable += strcmp(now.mappings[i].protection, "rw-p") == 0;
      constant += strcmp(now.mappings[i].protection, "r--p") == 0;
      code += strcmp(now.mappings[i].protection, "r-xp") == 0;
    }
  CHECK(writable == report.regions && constant >= writable &&
        code == writable);  // L is in pieces where a process filled words of it
  pkgimg_runtime_close(runtime);
  expect_events(
      "construct leaf; construct left; construct right; construct top; atexit top; destruct top; atexit right; "
      "destruct right; atexit left; destruct left; atexit leaf; destruct leaf");
}

/// What pkgimg_runtime_pages tells.
struct census {
  uint64_t of[PKGIMG_PAGES_COUNT], all;
};

static void count_pages(void *context, const struct pkgimg_pages *pages)
{
  struct census *census = context;
  CHECK(pages->count > 0 && *pages->image && (unsigned)pages->of < PKGIMG_PAGES_COUNT);
  CHECK((strchr(pages->image, '/') != NULL) == (pages->of >= PKGIMG_PAGES_GATE));
  census->of[pages->of] += pages->count;
  census->all += pages->count;
}

static struct census census_of(struct pkgimg_runtime *runtime)
{
  struct census census = {0};
  CHECK_OK(pkgimg_runtime_pages(runtime, count_pages, &census, &error), &error);
  return census;
}

// 200 pages of pointers are beside it, and stay as they are in the file.
static void written_pages(void)
{
  const char *path = bound("quiet.bundle", "tables bodies-user", NULL, NULL);
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *image = load(runtime, path);
  CHECK(dirty_pages(path) == 1 && stats_of(runtime).pages_written == 1);
  struct census census = census_of(runtime);
  CHECK(census.all == 1 && census.of[PKGIMG_PAGES_GATE] == 1);
  CHECK(((int (*)(void))symbol(image, "bodies_call"))() == 21);
  struct pkgimg_image *tables = load(runtime, image_path("tables"));
  int **run = symbol(tables, "tables_run");
  CHECK(run[0] == run[20000] && strstr(pkgimg_image_path(tables), "quiet.bundle"));
  CHECK(dirty_pages(path) < 8);  // leaf's thread-local objects, constructors, weak functions
  census = census_of(runtime);
  CHECK(census.all == dirty_pages(path) && census.of[PKGIMG_PAGES_CODE] == 0 && census.of[PKGIMG_PAGES_GATE] == 1);
  uint64_t data = census.of[PKGIMG_PAGES_DATA];
  ((char *)symbol(tables, "tables_zeros"))[100000] = 1;
  CHECK(census_of(runtime).of[PKGIMG_PAGES_DATA] == data + 1);
  events_take();
  pkgimg_runtime_close(runtime);
  events_take();
}

// ---- lookups

static void addresses(void)
{
  const char *path = bound("bodies.bundle", "bodies-user", NULL, NULL);
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *user = load(runtime, path);
  int (*held)(int) = *(int (**)(int))symbol(user, "bodies_held");
  CHECK(stats_of(runtime).images_bound == 1);  // bodies has nothing to do
  struct pkgimg_image *bodies = pkgimg_image_at(runtime, (void *)held);
  if (CHECK(bodies && strcmp(pkgimg_image_name(bodies), "bodies") == 0))
    CHECK(symbol(bodies, "bodies_function") == (void *)held && pkgimg_image_at(runtime, (void *)held) == bodies);
  CHECK(pkgimg_image_at(runtime, symbol(user, "bodies_held")) == user);
  CHECK(!pkgimg_image_at(runtime, &before) && !pkgimg_image_at(runtime, (void *)8));
  CHECK(pkgimg_symbol(user, "absent", (void **)&held, &error) == PKGIMG_UNDEFINED_SYMBOL);
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
}

// A function that the host lacks matters to those who need it.
static void missing(void)
{
  struct pkgimg_image *image = NULL;
  const char *with = bound("with.bundle", "wants bodies-user", NULL, NULL);
  const char *wants = bound("wants.bundle", "bodies wants", NULL, NULL);
  struct pkgimg_runtime *runtime = open_runtime(0);
  static struct world start;
  world_look(&start);
  CHECK_STATUS(pkgimg_load(runtime, wants, &image, &error), PKGIMG_UNDEFINED_SYMBOL, &error);
  CHECK(strstr(error.text, "nobody_defines_this"));
  CHECK(world_leaked(&start) == 0);
  CHECK(((int (*)(void))symbol(load(runtime, with), "bodies_call"))() == 21);
  CHECK_STATUS(pkgimg_load(runtime, image_path("wants"), &image, &error), PKGIMG_UNDEFINED_SYMBOL, &error);
  CHECK(((int (*)(void))symbol(load(runtime, with), "bodies_call"))() == 21);
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
}

static void versions(void)
{
  struct pkgimg_runtime *runtime = open_runtime(0);
  struct pkgimg_image *image = load(runtime, bound("versions.bundle", "versions", NULL, NULL));
  void *(*old)(void) = (void *(*)(void))symbol(image, "versions_old");
  void *(*new)(void) = (void *(*)(void))symbol(image, "versions_new");
  CHECK(old() != new () && old() == old());
  pkgimg_runtime_close(runtime);
}

// Heaps from build time, one of them compressed in its file; the user is in the bundle, or outside.
static void captured(const char *images, const char *user)
{
  enum { SUM = 999 * 1000 / 2 + 2 * 1000 };
  const char *path = bound("kept.bundle", images, NULL, NULL);
  struct pkgimg_runtime *runtime = open_runtime(0);
  load(runtime, path);
  CHECK(((int (*)(void))symbol(load(runtime, image_path(user)), "user_holds"))() == 1);
  struct pkgimg_image *captured = load(runtime, image_path("kept"));
  CHECK(strstr(pkgimg_image_path(captured), "kept.bundle"));
  int (*sum)(void) = (int (*)(void))symbol(captured, "captured_sum");
  CHECK(sum() == SUM && dirty_pages(path) < 4);
  ((void (*)(void))symbol(captured, "captured_forget"))();
  CHECK(sum() == 0);
  expect_refusal(runtime, NULL);
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
}

// ---- threads

static struct shared {
  struct pkgimg_runtime *runtime;
  const char *path;
  struct pkgimg_image *image;
  atomic_int wrong;
} shared;

static void *load_and_count(void *argument)
{
  int number = (int)(intptr_t)argument;
  struct pkgimg_image *image;
  void *sum, *set;
  if (pkgimg_load(shared.runtime, shared.path, &image, NULL) || image != shared.image ||
      pkgimg_symbol(image, "user_sum", &sum, NULL) || pkgimg_symbol(image, "own_of_user", &set, NULL)) {
    shared.wrong++;
    return NULL;
  }
  *(int *)set += number;  // this thread's
  shared.wrong += ((int (*)(void))sum)() != 46 + number;
  return NULL;
}

static void threads(const char *user)
{
  enum { THREADS = 16 };
  pthread_t ids[THREADS];
  char file[64];
  snprintf(file, sizeof file, "%s.bundle", user);
  shared.runtime = open_runtime(0);
  shared.path = bound(file, user, NULL, NULL);
  shared.image = load(shared.runtime, shared.path);
  for (int i = 0; i < THREADS; i++)
    pthread_create(&ids[i], NULL, load_and_count, (void *)(intptr_t)i);
  for (int i = 0; i < THREADS; i++)
    pthread_join(ids[i], NULL);
  CHECK(shared.wrong == 0);
  expect_refusal(shared.runtime, NULL);
  pkgimg_runtime_close(shared.runtime);
}

static void whole(void)
{
  order();
  others_sleep();
  without_code();
  protections();
  written_pages();
  addresses();
  missing();
  versions();
  captured("kept kept-user", "kept-user");
  captured("kept", "kept-user");
  threads("tl-user");
  threads("tl-user-descriptors");
}

static bool has_library(const char *name)
{
  void *library = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
  if (library)
    dlclose(library);
  return library != NULL;
}

// Libraries of the host come with the first image that names them, or needs one that does.
static void libraries_wait(void)
{
  const char *path = bound("libraries.bundle", "pending leaf", NULL, NULL);
  struct pkgimg_runtime *runtime = open_runtime(0);
  bool was_there = has_library("libstdc++.so.6");  // sanitizers bring it
  load(runtime, path);
  CHECK(has_library("libstdc++.so.6") == was_there);
  load(runtime, image_path("pending"));
  CHECK(has_library("libstdc++.so.6"));
  pkgimg_runtime_close(runtime);
  events_take();
}

int main(void)
{
  pkgimg_runtime_close(open_runtime(0));
  libraries_wait();
  world_look(&before);
  whole();
  bound_reach = 1;
  whole();
  return check_verdict();
}
