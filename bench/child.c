// SPDX-License-Identifier: MIT
#include "bench/workload.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

// What the process has used up to a moment.
struct moment {
  uint64_t nanoseconds;
  long faults;
  long anonymous;  // KiB of memory that is its own: made, or copied from a file by writing
  long read;       // bytes that the disk was asked for
};

static uint64_t now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static long faults(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

// No stdio: it would allocate, and so write pages, between the measurements. Not Private_Dirty, which also counts
// clean mappings of a file that the kernel has not yet written back, as after a build.
static long field(const char *path, const char *name)
{
  static char text[4096];
  int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
  close(file);
  text[size < 0 ? 0 : size] = 0;
  const char *line = strstr(text, name);
  return line ? strtol(line + strlen(name), NULL, 10) : 0;
}

static long anonymous(void)
{
  return field("/proc/self/smaps_rollup", "Anonymous:");
}

static long bytes_read(void)
{
  return field("/proc/self/io", "\nread_bytes:");
}

// The clock is read last before the work and first after it.
static struct moment before(void)
{
  struct moment moment = {.anonymous = anonymous(), .read = bytes_read()};
  moment.faults = faults();
  moment.nanoseconds = now();
  return moment;
}

static struct moment after(void)
{
  struct moment moment = {.nanoseconds = now()};
  moment.faults = faults();
  moment.anonymous = anonymous();
  moment.read = bytes_read();
  return moment;
}

static void print(const char *what, struct moment start, struct moment end)
{
  printf("%s_ns %lu\n%s_faults %ld\n%s_pages %ld\n%s_read_kib %ld\n", what,
         (unsigned long)(end.nanoseconds - start.nanoseconds), what, end.faults - start.faults, what,
         (end.anonymous - start.anonymous) / 4, what, (end.read - start.read) / 1024);
}

static int ascending(const void *left, const void *right)
{
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return (a > b) - (a < b);
}

static uint64_t time_batch(const struct child_peer *peer, char **argv, uint64_t runs)
{
  uint64_t start = now();
  for (uint64_t i = 0; i < runs; i++)
    (void)workload_run(peer, argv[3], argv[5]);
  return now() - start;
}

// The same work once everything is known: the median of batches that are long against the clock.
static double time_again(const struct child_peer *peer, char **argv)
{
  enum { BATCHES = 64, BATCH_NS = 200000 };
  uint64_t batches[BATCHES], once = time_batch(peer, argv, 16) / 16, runs = BATCH_NS / (once ? once : 1) + 1;
  for (int i = 0; i < BATCHES; i++)
    batches[i] = time_batch(peer, argv, runs);
  qsort(batches, BATCHES, sizeof batches[0], ascending);
  return (double)batches[BATCHES / 2] / (double)runs;
}

static int measure(const struct child_peer *peer, char **argv)
{
  (void)before(), (void)after();  // their own first faults happen here
  struct moment prepare_start = before();
  if (peer->prepare)
    peer->prepare();
  struct moment prepare_end = after();
  struct moment load_start = before();
  peer->load(argv[1], argv[4]);
  struct moment load_end = after();
  struct moment call_start = before();
  uint64_t sum = workload_run(peer, argv[3], argv[5]);
  struct moment call_end = after();
  print("load", load_start, load_end);
  print("call", call_start, call_end);
  printf("checksum %lu\n", (unsigned long)sum);
  printf("again_ns %.2f\n", time_again(peer, argv));
  if (peer->prepare)
    printf("phase_runtime %lu\n", (unsigned long)(prepare_end.nanoseconds - prepare_start.nanoseconds));
  if (peer->details)
    peer->details(stdout);
  return 0;
}

static int whole(const struct child_peer *peer, char **argv)
{
  if (peer->prepare)
    peer->prepare();
  peer->load(argv[1], argv[4]);
  printf("checksum %lu\n", (unsigned long)workload_run(peer, argv[3], argv[5]));
  return 0;
}

static int count(const struct child_peer *peer, char **argv)
{
  if (peer->prepare)
    peer->prepare();
  (void)getppid();
  peer->load(argv[1], argv[4]);
  (void)getppid();
  printf("checksum %lu\n", (unsigned long)workload_run(peer, argv[3], argv[5]));
  return 0;
}

static int hold(const struct child_peer *peer, char **argv)
{
  char byte;
  whole(peer, argv);
  fflush(stdout);
  return read(STDIN_FILENO, &byte, 1) != 0;
}

static int record(const struct child_peer *peer, char **argv)
{
  if (!peer->prepare_record)
    errx(2, "this loader records nothing");
  peer->prepare_record();
  peer->load(argv[1], argv[4]);
  printf("checksum %lu\n", (unsigned long)workload_run(peer, argv[3], argv[5]));
  peer->end_record();
  return 0;
}

int child_main(int argc, char **argv, const struct child_peer *peer)
{
  if (argc != 6)
    errx(2, "started by bench-startup, not by hand");
  if (!strcmp(argv[2], "hold"))
    return hold(peer, argv);
  if (!strcmp(argv[2], "count"))
    return count(peer, argv);
  if (!strcmp(argv[2], "record"))
    return record(peer, argv);
  return strcmp(argv[2], "whole") ? measure(peer, argv) : whole(peer, argv);
}
