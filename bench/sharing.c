// SPDX-License-Identifier: MIT
#include "bench/sharing.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct member {
  pid_t process;
  int hold;  // the child ends when this is closed
};

static double field(const char *text, const char *name)
{
  const char *line = strstr(text, name);
  return line ? strtod(line + strlen(name), NULL) : 0;
}

static void add_memory(pid_t process, struct sharing *sum)
{
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)process);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (size < 0)
    err(1, "%s", path);
  close(file);
  text[size] = 0;
  sum->resident += field(text, "Rss:");
  sum->proportional += field(text, "Pss:");
  sum->own += field(text, "Anonymous:");
}

static int make_pipe(int *write_end)
{
  int ends[2];
  if (pipe2(ends, O_CLOEXEC))
    err(1, "pipe");
  *write_end = ends[1];
  return ends[0];
}

// Returns when the child has loaded and called: it says so with a line.
static struct member start(const struct command *command)
{
  struct member member;
  posix_spawn_file_actions_t actions;
  char byte;
  int output, ready = make_pipe(&output), input = make_pipe(&member.hold);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  errno = posix_spawnp(&member.process, command->words[0], &actions, NULL, command->words, environ);
  if (errno)
    err(1, "%s", command->words[0]);
  posix_spawn_file_actions_destroy(&actions);
  close(input);
  close(output);
  if (read(ready, &byte, 1) != 1)
    errx(1, "%s ended before it had loaded", command->words[0]);
  close(ready);
  return member;
}

static void end(const struct member *member)
{
  int status;
  close(member->hold);
  if (waitpid(member->process, &status, 0) != member->process || status)
    errx(1, "a process that shares memory failed");
}

struct sharing sharing_measure(const struct command *command, unsigned processes)
{
  struct sharing sum = {0};
  struct member *members = calloc(processes, sizeof *members);
  if (!members)
    err(1, "processes");
  for (unsigned i = 0; i < processes; i++)
    members[i] = start(command);
  for (unsigned i = 0; i < processes; i++)
    add_memory(members[i].process, &sum);
  for (unsigned i = 0; i < processes; i++)
    end(&members[i]);
  free(members);
  return (struct sharing){sum.resident / processes, sum.proportional / processes, sum.own / processes};
}
