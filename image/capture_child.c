// SPDX-License-Identifier: MIT
//
// pkgimg-capture: one run of a package's initialisation. The build starts it several times, each time with
// other addresses, and compares what it finds in memory afterwards.
//
//     pkgimg-capture FUNCTION HEAP-FILE SNAPSHOT-FILE RUN HEAP-PLACE [IMAGE PLACE HEAP-PLACE]... [-- OFFSET...]
//
// The images are the package's closure in the order of loading, itself last. With OFFSETs of objects in
// the heap, the run prints where each was allocated, instead of a snapshot. It leaves by _exit: nothing of
// it is to have an effect.
#include "image/capture_child.h"

#include "image/capture_memory.h"
#include "relocator/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <unistd.h>

static _Noreturn void give_up(const char *what)
{
  dprintf(2, "pkgimg-capture: %s: %s\n", what, strerror(errno));
  _exit(SNAPSHOT_CHILD_BROKEN);
}

static _Noreturn void refuse(const struct pkgimg_error *error)
{
  dprintf(2, "%s\n", error->text);
  _exit(SNAPSHOT_CHILD_REFUSED);
}

// ---- other addresses: the kernel draws the program's, the libraries' and the stack's at random, unless
// it was told not to; a limit of the stack that changes with the run moves the libraries in any case.

static void start_again(const struct child_plan *plan, char **argv)
{
  struct rlimit limit;
  if (getenv(CHILD_STARTED))
    return;
  if (getrlimit(RLIMIT_STACK, &limit) == 0) {
    rlim_t wanted = (256ull << 20) + plan->run * 0x13571000ull;
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || wanted < limit.rlim_max ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_STACK, &limit);
  }
  personality(0xffffffff & (unsigned)personality(0xffffffff) & ~(unsigned)ADDR_NO_RANDOMIZE);
  setenv(CHILD_STARTED, "1", 1);
  execv("/proc/self/exe", argv);
  give_up("starting again");
}

// ---- the plan

static uint64_t number(const char *text)
{
  return strtoull(text, NULL, 0);
}

static void read_plan(struct child_plan *plan, int argc, char **argv)
{
  int at = 6;
  if (argc < at + 3) {
    dprintf(2, "pkgimg-capture is run by pkgimg-build\n");
    _exit(SNAPSHOT_CHILD_BROKEN);
  }
  *plan = (struct child_plan){.function = argv[1],
                              .heap_file = argv[2],
                              .snapshot_file = argv[3],
                              .run = (unsigned)number(argv[4]),
                              .heap_place = number(argv[5]),
                              .images = (struct child_image *)calloc((size_t)argc, sizeof(struct child_image)),
                              .watched = (uint64_t *)calloc((size_t)argc, sizeof(uint64_t))};
  if (!plan->images || !plan->watched)
    give_up("reading the plan");
  for (; at + 2 < argc && strcmp(argv[at], "--") != 0; at += 3)
    plan->images[plan->image_count++] =
        (struct child_image){.path = argv[at], .place = number(argv[at + 1]), .heap_place = number(argv[at + 2])};
  for (at++; at < argc; at++)
    plan->watched[plan->watched_count++] = number(argv[at]);
}

static void *map_heap(const struct child_plan *plan)
{
  int fd = open(plan->heap_file, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    give_up(plan->heap_file);
  void *heap = mmap((void *)plan->heap_place, SNAPSHOT_HEAP_SIZE, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, fd, 0);
  if (heap == MAP_FAILED)
    give_up("mapping the heap");
  close(fd);
  return heap;
}

// ---- loading

static struct pkgimg_image *load_one(struct pkgimg_runtime *runtime, struct child_image *planned,
                                     struct pkgimg_image **fresh)
{
  struct pkgimg_error error;
  runtime->place = planned->place;
  runtime->heap_place = planned->heap_place;
  if (load_image(runtime, planned->path, &planned->image, fresh, &error) != PKGIMG_OK)
    refuse(&error);
  return planned->image;
}

// A thread gets its block of an image when it first asks. It must not become a recorded object: in another process,
// a pointer into it would lead to a copy that is no thread's.
static void take_thread_locals(const struct child_plan *plan)
{
  for (size_t i = 0; i < plan->image_count; i++)
    if (plan->images[i].image->tls_module)
      tls_get_addr(&(struct tls_index){.module = plan->images[i].image->tls_module});
}

static void run_package(const struct child_plan *plan, struct pkgimg_image *image)
{
  void *function;
  struct pkgimg_error error;
  if (pkgimg_symbol(image, plan->function, &function, &error) != PKGIMG_OK)
    refuse(&error);
  take_thread_locals(plan);
  recorder_begin(image, plan->run);
  memory_record(true);
  image_construct(image);
  ((void (*)(void))(uintptr_t)function)();
  memory_record(false);
  fflush(NULL);
}

int main(int argc, char **argv)
{
  struct child_plan plan;
  struct pkgimg_runtime *runtime;
  struct pkgimg_image *fresh;
  struct pkgimg_error error;
  read_plan(&plan, argc, argv);
  start_again(&plan, argv);
  unsetenv(CHILD_STARTED);
  memory_init(map_heap(&plan), SNAPSHOT_HEAP_SIZE);
  recorder_init();
  recorder_watch(&plan);
  if (pkgimg_runtime_open(NULL, &runtime, &error) != PKGIMG_OK)
    refuse(&error);
  runtime->only_baseline = true;
  for (size_t i = 0; i + 1 < plan.image_count; i++) {
    load_one(runtime, &plan.images[i], &fresh);
    images_start(fresh);
    image_initialise(plan.images[i].image);
  }
  struct pkgimg_image *image = load_one(runtime, &plan.images[plan.image_count - 1], &fresh);
  struct child_before *before = look_before(&plan);
  run_package(&plan, image);
  if (!plan.watched_count)
    write_snapshot(&plan, before);
  _exit(0);
}
