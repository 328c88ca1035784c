// SPDX-License-Identifier: MIT
//
// What a process has besides its memory, as it was before the package's initialisation: what stays behind would be
// missing in another process.
#include "image/capture_child.h"

#include <dirent.h>
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SIGNALS = 65, DESCRIPTORS = 1024 };

struct process_before {
  bool descriptors[DESCRIPTORS];
  struct sigaction signals[SIGNALS];
  pthread_key_t key;
  char *locale, *folder, *environment;
  mode_t mask;
  sigset_t blocked;
};

static void list_descriptors(bool open[DESCRIPTORS])
{
  DIR *folder = opendir("/proc/self/fd");
  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    long fd = strtol(entry->d_name, NULL, 10);
    if (entry->d_name[0] != '.' && fd < DESCRIPTORS && fd != dirfd(folder))
      open[fd] = true;
  }
  if (folder)
    closedir(folder);
}

// All of it in one text, sorted by nothing: a change of the order is a change, too.
static char *copy_environment(void)
{
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  for (char **entry = environ; out && entry && *entry; entry++)
    fprintf(out, "%s\n", *entry);
  if (out)
    fclose(out);
  return text;
}

static mode_t file_mask(void)
{
  mode_t mask = umask(0);
  umask(mask);
  return mask;
}

struct process_before *process_look(void)
{
  struct process_before *before = calloc(1, sizeof *before);
  if (!before)
    return NULL;
  list_descriptors(before->descriptors);
  for (int i = 1; i < SIGNALS; i++)
    sigaction(i, NULL, &before->signals[i]);
  if (pthread_key_create(&before->key, NULL) == 0)
    pthread_key_delete(before->key);
  before->locale = strdup(setlocale(LC_ALL, NULL));
  before->folder = getcwd(NULL, 0);
  before->environment = copy_environment();
  before->mask = file_mask();
  sigprocmask(SIG_BLOCK, NULL, &before->blocked);
  return before->locale ? before : NULL;
}

// ---- what stays behind

static void complain_of_descriptors(const struct process_before *before, int own, FILE *out)
{
  bool open[DESCRIPTORS] = {false};
  list_descriptors(open);
  for (int fd = 0; fd < DESCRIPTORS; fd++) {
    char name[64], target[512];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, target, sizeof target);
    if (open[fd] && !before->descriptors[fd] && fd != own)
      fprintf(out, "descriptor %d is still open: %.*s\n", fd, length < 0 ? 0 : (int)length, target);
  }
}

static void complain_of_signals(const struct process_before *before, FILE *out)
{
  for (int i = 1; i < SIGNALS; i++) {
    struct sigaction now;
    if (sigaction(i, NULL, &now) == 0 && now.sa_handler != before->signals[i].sa_handler)
      fprintf(out, "signal %d (%s) has another handler than before\n", i, sigabbrev_np(i) ? sigabbrev_np(i) : "?");
  }
}

static void complain_of_threads(FILE *out)
{
  int count = 0;
  // A thread that was joined may take a moment to disappear.
  for (int attempt = 0; attempt < 100; attempt++) {
    DIR *folder = opendir("/proc/self/task");
    count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
      count += entry->d_name[0] != '.';
    if (folder)
      closedir(folder);
    if (count <= 1)
      return;
    usleep(1000);
  }
  fprintf(out, "%d threads that it started are still running\n", count - 1);
}

// What a process has once, and another one would not have.
static void complain_of_settings(const struct process_before *before, FILE *out)
{
  char *folder = getcwd(NULL, 0), *environment = copy_environment();
  sigset_t blocked;
  if (folder && before->folder && strcmp(folder, before->folder) != 0)
    fprintf(out, "the working folder is another one than before: %s instead of %s\n", folder, before->folder);
  if (environment && before->environment && strcmp(environment, before->environment) != 0)
    fprintf(out, "the environment is another one than before (setenv)\n");
  if (file_mask() != before->mask)
    fprintf(out, "the mask of new files (umask) is another one than before: %03o instead of %03o\n",
            (unsigned)file_mask(), (unsigned)before->mask);
  sigprocmask(SIG_BLOCK, NULL, &blocked);
  for (int i = 1; i < SIGNALS; i++)
    if (sigismember(&blocked, i) > 0 && sigismember(&before->blocked, i) == 0)
      fprintf(out, "signal %d (%s) is blocked\n", i, sigabbrev_np(i) ? sigabbrev_np(i) : "?");
  free(folder);
  free(environment);
}

void process_complain(const struct process_before *before, int own, FILE *out)
{
  pthread_key_t key;
  complain_of_descriptors(before, own, out);
  complain_of_threads(out);
  complain_of_signals(before, out);
  complain_of_settings(before, out);
  if (pthread_key_create(&key, NULL) == 0 && key != before->key)
    fprintf(out, "a key of pthread_key_create is still in use: it would mean nothing in another process\n");
  if (strcmp(before->locale, setlocale(LC_ALL, NULL)) != 0)
    fprintf(out, "the locale is another one than before: %s instead of %s\n", setlocale(LC_ALL, NULL),
            before->locale);
  if (waitpid(-1, NULL, WNOHANG) == 0)
    fprintf(out, "a child process that it started is still running\n");
  else if (errno != ECHILD)
    fprintf(out, "a child process that it started was not waited for\n");
}
