// SPDX-License-Identifier: MIT
//
// should-fail-shrink GOOD WORK: a file that shrinks, or loses its contents, between two steps of a
// load. The reads of the C library are replaced here: before the Nth of them, the file is cut off.
// Pages that are mapped already cannot be defended: whoever touches them then gets SIGBUS.
#include "tests/should_fail/expect.h"
#include "tests/should_fail/groups.h"
#include "tests/should_fail/watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
  const char *path;  // NULL: leave files alone
  unsigned call;     // counted from 1
  long long size;    // that is left
  bool regrow;       // to the old size, with zeros
  unsigned calls;    // so far, for this file
} plan;

static void before_read(int fd)
{
  struct stat status, other;
  if (!plan.path || stat(plan.path, &status) < 0 || fstat(fd, &other) < 0 || status.st_ino != other.st_ino)
    return;
  if (++plan.calls != plan.call)
    return;
  if (truncate(plan.path, plan.size) < 0 || (plan.regrow && truncate(plan.path, status.st_size) < 0))
    abort();
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
  before_read(fd);
  return syscall(SYS_pread64, fd, bytes, size, offset);
}

ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
  before_read(fd);
  return syscall(SYS_preadv, fd, parts, (long)count, offset, 0L);
}

static bool acceptable(enum pkgimg_status status, bool regrow)
{
  switch (status) {
  case PKGIMG_TRUNCATED:
  case PKGIMG_NOT_AN_IMAGE:
    return true;
  case PKGIMG_MALFORMED:  // zeros where tables were
  case PKGIMG_MISMATCH:
    return regrow;
  default:
    return false;
  }
}

// Whether the load noticed, or had read all before. Nothing is looked up: that could touch R.
static bool run_one(const char *loaded, unsigned *refused)
{
  struct pkgimg_runtime_options options = {.size = sizeof options, .flags = PKGIMG_RUNTIME_NO_CODE};
  struct pkgimg_runtime *runtime;
  struct pkgimg_image *image;
  struct pkgimg_error error = {0};
  struct watch before = watch_take();
  if (pkgimg_runtime_open(&options, &runtime, NULL) != PKGIMG_OK)
    abort();
  plan.calls = 0;
  enum pkgimg_status status = pkgimg_load(runtime, loaded, &image, &error);
  pkgimg_runtime_close(runtime);
  *refused += status != PKGIMG_OK;
  bool good = status == PKGIMG_OK ? plan.calls < plan.call
                                  : acceptable(status, plan.regrow) && error_is_complete("shrunk", &error);
  if (!good)
    printf("call %u, %lld bytes left%s: %s: %s\n", plan.call, plan.size, plan.regrow ? ", regrown" : "",
           pkgimg_status_name(status), error.text);
  good &= watch_same(&before, "shrunk");
  watch_deinit(&before);
  return good;
}

// Cut `victim` before each read of the load of `loaded`.
static unsigned run_pair(const struct folders *folders, const char *victim, const char *loaded)
{
  static const char *const all[] = {"leaf", "full", "top", "kept", "held", "holder", NULL};
  struct forgery good = take_good(folders, victim);
  const struct disk_header *header = forgery_header(&good);
  const struct disk_heap *heap = &forgery_tables(&good)->heap;
  const long long sizes[] = {0,
                             63,
                             4096,
                             (long long)header->geometry.areas[AREA_L].file_offset + 8,
                             (long long)header->geometry.tables_offset,
                             (long long)header->geometry.tables_offset + 160,
                             (long long)heap->file_offset + 8,
                             (long long)(heap->file_offset + heap->size) - 1};
  // No load looks at what is in H: zeros there are not noticed. Without a heap, its two sizes are 8 and -1.
  const unsigned checked = 6, cuts = 2 * checked + (heap->size ? 2 : 0);
  unsigned failures = 0, refused = 0;
  for (plan.call = 1, plan.calls = 1; plan.calls >= plan.call; plan.call++)
    for (unsigned i = 0; i < cuts; i++) {
      plan.path = NULL;
      copy_good(folders, all);
      bool in_heap = i >= 2 * checked;
      plan.size = sizes[in_heap ? i - checked : i / 2];
      plan.regrow = !in_heap && i % 2;
      plan.path = image_path(folders->work, victim);
      failures += !run_one(image_path(folders->work, loaded), &refused);
    }
  plan.path = NULL;
  forgery_deinit(&good);
  printf("%s in the load of %s: refused %u times\n", victim, loaded, refused);
  return failures + (refused == 0);
}

int main(int count, char **arguments)
{
  if (count != 3)
    return 2;
  struct folders folders = {.good = arguments[1], .work = arguments[2]};
  mkdir(folders.work, 0777);
  unsigned failures = run_pair(&folders, "leaf", "leaf") + run_pair(&folders, "full", "top") +
                      run_pair(&folders, "top", "top") + run_pair(&folders, "held", "held") +
                      run_pair(&folders, "kept", "holder");
  printf("shrink: %u failures\n", failures);
  return failures > 0;
}
