// SPDX-License-Identifier: MIT
#include "tests/unit/forbid.h"

#include "tests/unit/check.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void forbid(unsigned call, unsigned number)
{
  struct sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | number),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
    _exit(CHECK_SKIPPED);
}

// In a child, since a filter is for ever. It tells its checks by its exit status.
void in_child(unsigned call, unsigned number, void (*act)(uint64_t expected), uint64_t expected)
{
  int status = 0;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    check_failures = 0;
    forbid(call, number);
    act(expected);
    fflush(NULL);
    _exit(check_failures ? 1 : 0);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == CHECK_SKIPPED)
    printf("skipped: the kernel takes no seccomp filter\n");
  else
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
