// SPDX-License-Identifier: MIT
//
// A load whose N-th allocation fails, for every N: a status that says so, and nothing left behind.
#include "tests/unit/allocator.h"
#include "tests/unit/check.h"
#include "tests/unit/world.h"

#include <dlfcn.h>
#include <pkgimg/bind.h>
#include <pkgimg/pkgimg.h>
#include <pkgimg/types.h>

CHECK_MAIN_FILE

// ---- loads

static const char *path_of(const char *name)
{
  return strchr(name, '.') ? scratch_path(name) : image_path(name);
}

// Whoever loads an image with types asks about them.
static enum pkgimg_status ask(struct pkgimg_runtime *runtime, const char *name, struct pkgimg_error *error)
{
  const struct pkgimg_type *type;
  struct pkgimg_type_info info;
  if (!strstr(name, "kinds"))
    return PKGIMG_OK;
  enum pkgimg_status status = pkgimg_type_find(runtime, "kinds.two", &type, error);
  if (status != PKGIMG_OK)
    return status;
  status = pkgimg_type_describe(type, &info, error);
  CHECK(status != PKGIMG_OK || pkgimg_type_by_id(runtime, info.id) == type);
  return status;
}

static enum pkgimg_status load_once(enum pkgimg_prefetch prefetch, const char *name, struct pkgimg_error *error)
{
  const char *folders[] = {"/no/such/folder"};
  struct pkgimg_runtime_options options = {
      .size = sizeof options, .search_path = folders, .search_path_count = 1, .prefetch = prefetch};
  struct pkgimg_runtime *runtime = NULL;
  struct pkgimg_image *image = NULL;
  enum pkgimg_status status = pkgimg_runtime_open(&options, &runtime, error);
  if (status != PKGIMG_OK)
    return status;
  status = pkgimg_load(runtime, path_of(name), &image, error);
  if (status == PKGIMG_OK)
    status = ask(runtime, name, error);
  allocator.armed = false;
  // What a load that failed leaves behind does not disturb the next.
  struct pkgimg_error again;
  if (status != PKGIMG_OK)
    CHECK_OK(pkgimg_load(runtime, path_of(name), &image, &again), &again);
  if (status != PKGIMG_OK)
    CHECK_OK(ask(runtime, name, &again), &again);
  pkgimg_runtime_close(runtime);
  return status;
}

// A library comes and goes, so that everything that is remembered of the host is forgotten.
static void forget_host(void)
{
  void *library = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library)
    dlclose(library);
}

// True while the N-th allocation exists.
static bool fail_at(long which, enum pkgimg_prefetch prefetch, const char *name, const struct world *before)
{
  struct pkgimg_error error = {0};
  forget_host();
  long live = allocator.live;
  allocator.failed = 0;
  allocator.left = which;
  allocator.armed = true;
  enum pkgimg_status status = load_once(prefetch, name, &error);
  allocator.armed = false;
  bool failed = allocator.failed > 0;
  // An allocation may be dispensable: then the load succeeds.
  if (!CHECK(status == PKGIMG_OK || (status == PKGIMG_NO_MEMORY && failed && error.status == status)))
    fprintf(stderr, "  allocation %ld of %s: %s: %s\n", which, name, pkgimg_status_name(status), error.text);
  CHECK(world_leaked(before) == 0);
  enum { REMEMBERED = 200 };  // symbols of the host outlive a load, failed or not
  CHECK(allocator.live <= live + REMEMBERED);
  return failed;
}

static void fail_everywhere(enum pkgimg_prefetch prefetch, const char *name)
{
  static struct world before;
  struct pkgimg_error error;
  CHECK_OK(load_once(prefetch, name, &error), &error);
  CHECK_OK(load_once(prefetch, name, &error), &error);
  world_look(&before);
  long count = 0;
  while (count < 5000 && fail_at(count, prefetch, name, &before))
    count++;
  printf("%s: %ld allocations\n", name, count);
  CHECK(count > 5 && count < 5000);
  CHECK_OK(load_once(prefetch, name, &error), &error);
  long live = allocator.live;
  CHECK_OK(load_once(prefetch, name, &error), &error);
  CHECK(allocator.live == live);
}

static void bind(const char *file, const char *main_image)
{
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  struct pkgimg_error error;
  const char *images[] = {image_path("kinds-three"), image_path(main_image)};
  options.output = scratch_path(file);
  options.images = images;
  options.image_count = 2;
  CHECK_OK(pkgimg_bind(&options, NULL, &error), &error);
}

int main(void)
{
  if (!allocator_find_spared()) {
    printf("skipped: the sanitizer has its own malloc\n");
    return CHECK_SKIPPED;
  }
  fail_everywhere(PKGIMG_PREFETCH_NONE, "leaf");
  fail_everywhere(PKGIMG_PREFETCH_NONE, "top");
  fail_everywhere(PKGIMG_PREFETCH_PLAIN, "top");
  fail_everywhere(PKGIMG_PREFETCH_RING, "top");
  fail_everywhere(PKGIMG_PREFETCH_NONE, "tl-user");
  fail_everywhere(PKGIMG_PREFETCH_NONE, "tables");
  fail_everywhere(PKGIMG_PREFETCH_NONE, "shapes-one");
  bind("kinds-two.bundle", "kinds-two");
  fail_everywhere(PKGIMG_PREFETCH_NONE, "kinds-two.bundle");
  bind("shapes-one.bundle", "shapes-one");
  fail_everywhere(PKGIMG_PREFETCH_NONE, "shapes-one.bundle");
  printf("%ld allocations of CRoaring were spared\n", allocator.spared);
  return check_verdict();
}
