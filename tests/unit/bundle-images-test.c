// SPDX-License-Identifier: MIT
//
// Bundles and the files of their images: images that were built anew, images that lie in other folders, trees that
// are moved as a whole.
#include "mapper/known.h"
#include "tests/unit/bundles.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

CHECK_MAIN_FILE

static struct world before;

// An image of the unit tests, perhaps under another name.
static const char *copied(const char *name, const char *to)
{
  size_t size;
  uint8_t *bytes = read_all(image_path(name), &size);
  const char *path = scratch_path(to);
  unlink(path);
  write_all(path, bytes, size);
  free(bytes);
  return path;
}

static const char *bound_there(const char *main_image, const char *file, const char *folder, uint64_t base)
{
  struct pkgimg_bind_options options = PKGIMG_BIND_OPTIONS_INIT;
  options.images = &main_image;
  options.image_count = 1;
  options.search_path = &folder;
  options.search_path_count = folder != NULL;
  options.output = scratch_path(file);
  options.base = base;
  CHECK_OK(pkgimg_bind(&options, NULL, &error), &error);
  return options.output;
}

// ---- built anew

// Another image takes the file of the main one. What it needs still is in the bundle.
static void changed_image(void)
{
  copied("leaf", "leaf.so");
  const char *left = copied("left", "left.so"), *path = bound_there(left, "left.bundle", NULL, 0);
  struct pkgimg_runtime *runtime = open_runtime(0);
  load(runtime, path);
  expect_refusal(runtime, NULL);
  pkgimg_runtime_close(runtime);
  copied("right", "left.so");
  runtime = open_runtime(0);
  struct pkgimg_image *image = load(runtime, path);
  expect_refusal(runtime, "changed since: bound was");
  CHECK(stats_of(runtime).bundles_refused == 1 && stats_of(runtime).images_bound == 1);
  CHECK(strcmp(pkgimg_image_name(image), "right") == 0 && strcmp(pkgimg_image_path(image), left) == 0);
  struct pkgimg_image *leaf = pkgimg_image_at(runtime, *(void **)symbol(image, "right_one"));
  CHECK(leaf && strcmp(pkgimg_image_path(leaf), path) == 0);
  CHECK(load(runtime, path) == image && load(runtime, left) == image);
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
  events_take();
}

// What was built anew does not fit what it needs: the error is that of loading it.
static void changed_alone(void)
{
  struct pkgimg_image *image;
  copied("leaf", "leaf.so");
  const char *left = copied("left", "left.so"), *path = bound_there(left, "left.bundle", NULL, 0);
  copied("top", "left.so");
  struct pkgimg_runtime *runtime = open_runtime(0);
  CHECK_STATUS(pkgimg_load(runtime, path, &image, NULL), PKGIMG_NOT_FOUND, &error);
  CHECK_STATUS(pkgimg_load(runtime, path, &image, &error), PKGIMG_NOT_FOUND, &error);
  CHECK(strstr(error.text, "left.so") && strstr(error.text, "right: a dependency"));
  expect_refusal(runtime, "changed since: bound was");  // even where nobody took the error
  CHECK(stats_of(runtime).bundles_refused == 2);
  pkgimg_runtime_close(runtime);
  CHECK(world_leaked(&before) == 0);
}

// No image, or none that is there: the bundle is all there is.
static void not_an_image(void)
{
  copied("leaf", "leaf.so");
  const char *left = copied("left", "left.so"), *path = bound_there(left, "left.bundle", NULL, 0);
  for (int gone = 0; gone < 2; gone++) {
    if (gone)
      unlink(left);
    else
      write_all(left, "torn", 4);
    struct pkgimg_runtime *runtime = open_runtime(0);
    CHECK(strcmp(pkgimg_image_path(load(runtime, path)), path) == 0);
    expect_refusal(runtime, NULL);
    pkgimg_runtime_close(runtime);
  }
  events_take();
}

// A dependency that was built anew is no reason: what is bound was built against the older one.
static void changed_dependency(void)
{
  copied("leaf", "leaf.so");
  const char *left = copied("left", "left.so"), *path = bound_there(left, "left.bundle", NULL, 0);
  copied("tables", "leaf.so");
  struct pkgimg_runtime *runtime = open_runtime(0);
  CHECK(strcmp(pkgimg_image_path(load(runtime, path)), path) == 0);
  expect_refusal(runtime, NULL);
  pkgimg_runtime_close(runtime);
  events_take();
}

// ---- as noted

// What a load of a bundle reads before it maps it, and whether it finds that the main image has changed.
static uint64_t bytes_read(const char *path, const char *refusal)
{
  struct pkgimg_runtime *runtime = open_runtime(0);
  load(runtime, path);
  expect_refusal(runtime, refusal);
  uint64_t bytes = stats_of(runtime).bytes_read;
  pkgimg_runtime_close(runtime);
  events_take();
  return bytes;
}

// Other bytes in the same file, with the same times.
static void write_in_place(const char *path, const char *image)
{
  struct stat status;
  size_t size;
  uint8_t *bytes = read_all(image_path(image), &size);
  CHECK(stat(path, &status) == 0);
  write_all(path, bytes, size);
  struct timespec times[] = {status.st_atim, status.st_mtim};
  CHECK(utimensat(AT_FDCWD, path, times, 0) == 0);
  free(bytes);
}

static void set_note(const char *path, const struct file_note *note)
{
  CHECK(setxattr(path, "user.pkgimg.main", note, sizeof *note, 0) == 0);
}

// The main image's file is not opened as long as it is as it was. Its note is believed by nobody else.
static void noted(void)
{
  struct map_counts counts = {0};
  struct file_note note, of_other;
  copied("leaf", "leaf.so");
  const char *left = copied("left", "left.so");
  const char *path = bound_there(left, "left.bundle", NULL, 0), *other = bound_there(left, "other.bundle", NULL, 0);
  if (getxattr(path, "user.pkgimg.main", &note, sizeof note) != sizeof note) {
    printf("skipped: notes: this file system has no user attributes\n");
    return;
  }
  CHECK(getxattr(other, "user.pkgimg.main", &of_other, sizeof of_other) == sizeof of_other);
  uint64_t without_main = bytes_read(path, NULL);
  set_note(path, &of_other);
  CHECK(bytes_read(path, NULL) > without_main);
  set_note(path, &note);
  CHECK(bytes_read(path, NULL) == without_main);
  write_in_place(left, "right");
  bytes_read(path, "changed since: bound was");
  CHECK(file_state_read(left, &of_other.state, &counts));
  set_note(path, &of_other);
  bytes_read(path, "changed since: bound was");
  set_note(path, &note);
  write_in_place(left, "left");
  CHECK(bytes_read(path, NULL) > without_main);
  bound_there(left, "left.bundle", NULL, 0);  // the same as before, but for the note
  CHECK(bytes_read(path, NULL) == without_main);
}

static void settled(void)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  struct file_state state = {.changed = now.tv_sec, .changed_nanoseconds = now.tv_nsec};
  CHECK(file_state_settle(&state));
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  CHECK(now.tv_sec > state.changed || now.tv_nsec >= state.changed_nanoseconds + 10000000);
  state.changed = 0;
  CHECK(file_state_settle(&state));
  state.changed = now.tv_sec + 100;
  CHECK(!file_state_settle(&state));
}

// ---- in other folders

// Each image lies elsewhere, and the place of the bundle is one that no process has.
static void elsewhere(void)
{
  const char *folders[] = {"tree", "tree/a", "tree/b", "tree/c"};
  for (int i = 0; i < 4; i++)
    CHECK(mkdir(scratch_path(folders[i]), 0777) == 0);
  copied("leaf", "tree/a/leaf.so");
  const char *left = copied("left", "tree/b/left.so");
  const char *path = bound_there(left, "tree/c/left.bundle", scratch_path("tree/a"), 0x7fffffe00000);
  for (int moved = 0; moved < 2; moved++) {
    if (moved) {
      CHECK(rename(scratch_path("tree"), scratch_path("moved")) == 0);
      path = scratch_path("moved/c/left.bundle");
    }
    struct pkgimg_runtime *runtime = open_runtime(0);
    struct pkgimg_image *image = load(runtime, path);
    expect_refusal(runtime, "address space");
    CHECK(stats_of(runtime).bundles_refused == 1 && stats_of(runtime).images == 2);
    CHECK(strcmp(pkgimg_image_name(image), "left") == 0 && strstr(pkgimg_image_path(image), "/c/../b/left.so"));
    struct pkgimg_image *leaf = pkgimg_image_at(runtime, *(void **)symbol(image, "left_one"));
    CHECK(leaf && strstr(pkgimg_image_path(leaf), "/c/../a/leaf.so"));
    pkgimg_runtime_close(runtime);
    CHECK(world_leaked(&before) == 0);
    events_take();
  }
}

int main(void)
{
  pkgimg_runtime_close(open_runtime(0));
  world_look(&before);
  changed_image();
  changed_alone();
  not_an_image();
  changed_dependency();
  noted();
  settled();
  elsewhere();
  return check_verdict();
}
