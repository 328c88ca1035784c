// SPDX-License-Identifier: MIT
#include "bench/process.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

void command_add(struct command *command, const char *format, ...)
{
  va_list arguments;
  char *word;
  va_start(arguments, format);
  if (vasprintf(&word, format, arguments) < 0)
    err(1, "command");
  va_end(arguments);
  char **words = realloc(command->words, (command->count + 2) * sizeof *words);
  if (!words)
    err(1, "command");
  words[command->count++] = word;
  words[command->count] = NULL;
  command->words = words;
}

void command_deinit(struct command *command)
{
  for (size_t i = 0; i < command->count; i++)
    free(command->words[i]);
  free(command->words);
  *command = (struct command){0};
}

// Standard output goes to `output`, or nowhere when that is -1.
static pid_t spawn(const struct command *command, int output)
{
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (output >= 0)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  else
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t process;
  errno = posix_spawnp(&process, command->words[0], &actions, NULL, command->words, environ);
  if (errno)
    err(1, "%s", command->words[0]);
  posix_spawn_file_actions_destroy(&actions);
  return process;
}

static void print_command(const struct command *command)
{
  for (size_t i = 0; i < command->count; i++)
    fprintf(stderr, "%s%c", command->words[i], i + 1 < command->count ? ' ' : '\n');
}

static void read_all(int file, char *output, size_t capacity)
{
  size_t used = 0;
  for (ssize_t got; (got = read(file, output + used, capacity - 1 - used)) != 0; used += (size_t)got)
    if (got < 0)
      err(1, "read");
  output[used] = 0;
}

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

double process_run(const struct command *command, char *output, size_t capacity)
{
  int ends[2], status;
  if (pipe2(ends, O_CLOEXEC))
    err(1, "pipe");
  double start = now();
  pid_t process = spawn(command, ends[1]);
  close(ends[1]);
  read_all(ends[0], output, capacity);
  if (waitpid(process, &status, 0) != process)
    err(1, "waitpid");
  double end = now();
  close(ends[0]);
  if (status) {
    print_command(command);
    errx(1, "the command failed (status 0x%x)", (unsigned)status);
  }
  return end - start;
}

bool pool_full(const struct pool *pool)
{
  size_t most = sizeof pool->children / sizeof pool->children[0];
  return pool->running >= pool->limit || pool->running >= most;
}

void pool_start(struct pool *pool, const struct command *command, unsigned number)
{
  pool->children[pool->running].process = spawn(command, -1);
  pool->children[pool->running++].number = number;
}

unsigned pool_wait(struct pool *pool)
{
  int status;
  pid_t process = wait(&status);
  if (process < 0)
    err(1, "wait");
  if (status)
    errx(1, "a build failed (status 0x%x)", (unsigned)status);
  for (unsigned i = 0; i < pool->running; i++) {
    if (pool->children[i].process == process) {
      unsigned number = pool->children[i].number;
      pool->children[i] = pool->children[--pool->running];
      return number;
    }
  }
  errx(1, "a child that nobody started");
}
