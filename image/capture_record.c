// SPDX-License-Identifier: MIT
//
// Host functions of which a capture child has its own version.
#include "image/capture_child.h"

#include "image/capture_memory.h"
#include "relocator/gate.h"

#include <execinfo.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static struct {
  const struct pkgimg_image *image;
  struct disk_exit *exits;
  size_t count, capacity;
  unsigned run;
} recorder;

void recorder_begin(const struct pkgimg_image *image, unsigned run)
{
  recorder.image = image;
  recorder.run = run;
}

uint64_t recorder_exits(uint64_t *count)
{
  *count = recorder.count;
  return (uint64_t)recorder.exits;
}

// ---- what shall happen at the end of each process

extern int __cxa_atexit(void (*function)(void *), void *argument, void *handle);

static bool is_ours(const void *handle)
{
  return recorder.image && (uint64_t)handle == image_base(recorder.image) + recorder.image->handle;
}

// The list is an object of the captured heap itself: its pointers are found like all others.
static int record_exit(void (*function)(void *), void *argument, void *handle)
{
  if (!is_ours(handle))
    return __cxa_atexit(function, argument, handle);
  if (recorder.count == recorder.capacity) {
    size_t capacity = recorder.capacity ? 2 * recorder.capacity : 8;
    struct disk_exit *grown = realloc(recorder.exits, capacity * sizeof *grown);
    if (!grown)
      return -1;
    recorder.exits = grown;
    recorder.capacity = capacity;
  }
  recorder.exits[recorder.count++] =
      (struct disk_exit){(uint64_t)(uintptr_t)function, (uint64_t)argument, (uint64_t)handle};
  return 0;
}

void recorder_init(void)
{
  static const struct gate_entry entry = {"__cxa_atexit", (uint64_t)(uintptr_t)record_exit, NULL};
  gate_add(&entry);
}

// ---- clocks: two runs may well fall into one second, so each lives in a time of its own

static int64_t shift(void)
{
  return (int64_t)recorder.run * (86400 * 37 + 3601);
}

static int read_clock(clockid_t clock, struct timespec *time)
{
  long failure = syscall(SYS_clock_gettime, clock, time);
  if (failure == 0) {
    time->tv_sec += shift();
    time->tv_nsec = (time->tv_nsec + 111111111l * (long)recorder.run) % 1000000000l;
  }
  return (int)failure;
}

uint64_t recorder_time(void)
{
  struct timespec now;
  return read_clock(CLOCK_REALTIME, &now) == 0 ? (uint64_t)now.tv_sec : 0;
}

EXPORTED int clock_gettime(clockid_t clock, struct timespec *result)
{
  return read_clock(clock, result);
}

EXPORTED int timespec_get(struct timespec *result, int base)
{
  return base == TIME_UTC && read_clock(CLOCK_REALTIME, result) == 0 ? base : 0;
}

EXPORTED time_t time(time_t *result)
{
  time_t now = (time_t)recorder_time();
  if (result)
    *result = now;
  return now;
}

EXPORTED int gettimeofday(struct timeval *restrict result, void *restrict zone)
{
  struct timespec now;
  (void)zone;
  if (read_clock(CLOCK_REALTIME, &now) < 0)
    return -1;
  *result = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}

EXPORTED clock_t clock(void)
{
  struct timespec now;
  if (syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &now) < 0)
    return -1;
  return (clock_t)(now.tv_sec + (time_t)recorder.run * 1009) * CLOCKS_PER_SEC +
         now.tv_nsec / (1000000000 / CLOCKS_PER_SEC);
}

EXPORTED clock_t times(struct tms *result)
{
  clock_t real = (clock_t)syscall(SYS_times, result);
  clock_t more = (clock_t)recorder.run * 100900;
  result->tms_utime += more;
  result->tms_stime += more;
  return real + more;
}

// ---- where an object was allocated

static int report = -1;

// A line for each: the number of the offset, then addresses, innermost call first.
static void print_allocation(uint64_t index)
{
  enum { MOST = 32 };
  void *calls[MOST];
  int count = backtrace(calls, MOST);
  dprintf(report, "%lu", (unsigned long)index);
  for (int i = 0; i < count; i++)
    dprintf(report, " 0x%lx", (unsigned long)calls[i]);
  dprintf(report, "\n");
}

void recorder_watch(const struct child_plan *plan)
{
  void *calls[1];
  report = open(plan->snapshot_file, O_WRONLY | O_CLOEXEC);
  backtrace(calls, 1);  // loads the unwinder, which allocates
  if (plan->watched_count)
    memory_watch(plan->watched, plan->watched_count, print_allocation);
}
