// SPDX-License-Identifier: MIT
#include "bench/calls.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  REFUSED = 126,
  OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL
};

static _Noreturn void become(const struct command *command)
{
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  // A sanitizer's search for leaks would itself trace, which only one can.
  if (dup2(nowhere, STDOUT_FILENO) < 0 || setenv("LSAN_OPTIONS", "detect_leaks=0", 1) ||
      ptrace(PTRACE_TRACEME, 0, NULL, NULL))
    _exit(REFUSED);
  execvp(command->words[0], command->words);
  _exit(REFUSED);
}

// The child stops when it has become the program. Returns false where it may not be traced.
static bool start(const struct command *command, pid_t *process)
{
  int status;
  *process = fork();
  if (*process < 0)
    err(1, "fork");
  if (*process == 0)
    become(command);
  if (waitpid(*process, &status, 0) != *process)
    err(1, "waitpid");
  if (!WIFSTOPPED(status))
    return false;
  if (ptrace(PTRACE_SETOPTIONS, *process, NULL, OPTIONS) || ptrace(PTRACE_SYSCALL, *process, NULL, NULL))
    err(1, "ptrace");
  return true;
}

static void count_stop(pid_t thread, struct calls *calls, unsigned *marks)
{
  struct __ptrace_syscall_info info;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) < 0)
    err(1, "ptrace");
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
    return;
  if (info.entry.nr == SYS_getppid) {
    ++*marks;
    return;
  }
  calls->all++;
  calls->load += *marks == 1;
}

// New threads stop before they begin; only signals that are the program's own go on to it.
static int signal_of(int status)
{
  int signal = WSTOPSIG(status);
  return status >> 16 || signal == (SIGTRAP | 0x80) || signal == SIGSTOP ? 0 : signal;
}

struct calls calls_count(const struct command *command)
{
  struct calls calls = {0};
  unsigned marks = 0;
  pid_t process;
  if (!start(command, &process))
    return calls;
  int status, last = 0;
  for (pid_t thread; (thread = waitpid(-1, &status, __WALL)) > 0;) {
    if (thread == process)
      last = status;
    if (!WIFSTOPPED(status))
      continue;
    if (WSTOPSIG(status) == (SIGTRAP | 0x80))
      count_stop(thread, &calls, &marks);
    // A thread may be gone by now.
    if (ptrace(PTRACE_SYSCALL, thread, NULL, signal_of(status)) && errno != ESRCH)
      err(1, "ptrace");
  }
  if (last || marks < 2)
    errx(1, "%s failed while its system calls were counted (status 0x%x)", command->words[0], (unsigned)last);
  calls.known = true;
  return calls;
}
