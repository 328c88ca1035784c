// SPDX-License-Identifier: MIT
//
// The package that `pkgimg run` is tested with: says what it was called with, and leaves the way
// it is told to.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void start(void);
int other(int argc, char **argv);

static volatile int started;
static const char *const volatile words[] = {"zero", "one", "two"};  // pointers to relocate

__attribute__((constructor)) static void construct(void)
{
  started = 1;
}
__attribute__((destructor)) static void destruct(void)
{
  puts("destructor");
}
void start(void)
{
  started += 10;
}

int other(int argc, char **argv)
{
  printf("other %d %s\n", argc, argv[argc] ? "not terminated" : "terminated");
  return 4;
}

int main(int argc, char **argv, char **envp)
{
  printf("started %d %s\n", started, envp == environ ? "envp" : "no envp");
  for (int i = 1; i <= argc; i++)
    printf("%s: %s\n", i < 3 ? words[i] : "more", argv[i] ? argv[i] : "(null)");
  if (argc > 2 && !strcmp(argv[1], "exit"))
    exit((int)strtol(argv[2], NULL, 10));
  if (argc > 1 && !strcmp(argv[1], "close"))
    fclose(stderr);
  return argc > 2 && !strcmp(argv[1], "return") ? (int)strtol(argv[2], NULL, 10) : 0;
}
