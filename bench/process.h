// SPDX-License-Identifier: MIT
//
// Child processes: a command line that grows, one child whose output is wanted, and several at a time. All
// failures end the program with a message, as there is nothing to measure without the children.
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/// A command line. Start from {0}; free it with command_deinit.
struct command {
  char **words;  ///< ends with NULL
  size_t count;
};
void command_add(struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
void command_deinit(struct command *command);

/// Run to the end. Fill `output` with what it wrote to standard output, and return the nanoseconds from just
/// before its start to just after its end.
double process_run(const struct command *command, char *output, size_t capacity);

/// At most `limit` children at a time, each known by a number that is free to choose.
struct pool {
  unsigned limit, running;
  struct {
    pid_t process;
    unsigned number;
  } children[64];
};
/// A free place in the pool is needed.
void pool_start(struct pool *pool, const struct command *command, unsigned number);
bool pool_full(const struct pool *pool);
/// Wait for one of the children, which must succeed; returns its number.
unsigned pool_wait(struct pool *pool);

#endif
