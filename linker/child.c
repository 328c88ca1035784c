// SPDX-License-Identifier: MIT
//
// Child processes whose output is kept.
#include "linker/linker.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

// Wait until there is something to read. False when the time is over.
static bool await_output(int fd, uint64_t end)
{
  for (;;) {
    uint64_t now = end ? clock_now() : 0;
    if (end && now >= end)
      return false;
    uint64_t milliseconds = end ? (end - now) / 1000000 + 1 : 0;
    int timeout = !end ? -1 : milliseconds > 60000 ? 60000 : (int)milliseconds;
    int ready = poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, timeout);
    if (ready > 0 || (ready < 0 && errno != EINTR))
      return true;
  }
}

static enum pkgimg_status drain(int fd, uint64_t end, struct buffer *output, bool *late, struct pkgimg_error *error)
{
  uint8_t chunk[4096];
  ssize_t got;
  for (;;) {
    *late = !await_output(fd, end);
    if (*late || (got = read(fd, chunk, sizeof chunk)) == 0)
      break;
    if (got > 0)
      TRY(buffer_append(output, chunk, (size_t)got, error));
    else if (errno != EINTR)
      return fail_system(error, NULL, "reading a child's output");
  }
  return PKGIMG_OK;
}

static int spawn_into(pid_t *child, char *const *arguments, const char *folder, int write_end)
{
  posix_spawn_file_actions_t actions;
  int failure = posix_spawn_file_actions_init(&actions);
  if (failure)
    return failure;
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
  posix_spawn_file_actions_adddup2(&actions, write_end, 1);
  posix_spawn_file_actions_adddup2(&actions, write_end, 2);
  if (folder)
    posix_spawn_file_actions_addchdir_np(&actions, folder);
  failure = posix_spawnp(child, arguments[0], &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  return failure;
}

static enum pkgimg_status await(pid_t child, const char *program, int *exit_code, struct pkgimg_error *error)
{
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return fail_system(error, program, "waitpid");
  *exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return PKGIMG_OK;
}

enum pkgimg_status child_run(char *const *arguments, const char *folder, unsigned limit, struct buffer *output,
                             int *exit_code, struct pkgimg_error *error)
{
  int ends[2];
  pid_t child;
  bool late;
  uint64_t end = limit ? clock_now() + limit * 1000000000ull : 0;
  if (pipe2(ends, O_CLOEXEC) < 0)
    return fail_system(error, arguments[0], "pipe2");
  errno = spawn_into(&child, arguments, folder, ends[1]);
  close(ends[1]);
  if (errno) {
    enum pkgimg_status status = fail_system(error, arguments[0], "starting the program");
    close(ends[0]);
    return status;
  }
  enum pkgimg_status status = drain(ends[0], end, output, &late, error);
  close(ends[0]);
  if (late)
    kill(child, SIGKILL);
  enum pkgimg_status waited = await(child, arguments[0], exit_code, error);
  if (late)
    *exit_code = CHILD_TIMEOUT;
  return status != PKGIMG_OK ? status : waited;
}

void diagnose(const struct diagnostics *diagnostics, const struct buffer *output)
{
  struct buffer text = {0};
  if (output->size == 0)
    return;
  if (buffer_append(&text, output->data, output->size, NULL) == PKGIMG_OK &&
      buffer_append(&text, "", 1, NULL) == PKGIMG_OK) {
    if (diagnostics->handle)
      diagnostics->handle(diagnostics->context, (const char *)text.data);
    else
      fputs((const char *)text.data, stderr);
  }
  buffer_deinit(&text);
}
