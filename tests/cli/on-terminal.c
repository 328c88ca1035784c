// SPDX-License-Identifier: MIT
//
// on-terminal COMMAND...: run it with a new terminal as its standard streams, and copy what it
// writes there. The exit status is the command's.
#include <pty.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
  int terminal;
  char bytes[4096];
  pid_t child = argc > 1 ? forkpty(&terminal, NULL, NULL, NULL) : -1;
  if (child < 0)
    return perror("forkpty"), 125;
  if (child == 0) {
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  // The last read fails with EIO when the child has closed its side.
  for (ssize_t size; (size = read(terminal, bytes, sizeof bytes)) > 0;)
    fwrite(bytes, 1, (size_t)size, stdout);
  int status;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
