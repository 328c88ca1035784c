// SPDX-License-Identifier: MIT
//
// What may stand in the place of an image: nothing, a folder, a pipe, a device, other files.
#include "tests/should_fail/expect.h"
#include "tests/should_fail/groups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// A reader that does not end is stopped before memory is gone: here the reads of the C library fail
// after so many bytes.
enum { MOST_BYTES = 64 << 20 };
static long long bytes_read;
static bool limited;

ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
  if (limited && bytes_read > MOST_BYTES) {
    errno = EFBIG;
    return -1;
  }
  ssize_t got = syscall(SYS_pread64, fd, bytes, size, offset);
  bytes_read += got > 0 ? got : 0;
  return got;
}

static void make_nothing(const char *path, const struct folders *folders)
{
  (void)path, (void)folders;
}

static void make_folder(const char *path, const struct folders *folders)
{
  (void)folders;
  mkdir(path, 0777);
}

static void make_pipe(const char *path, const struct folders *folders)
{
  (void)folders;
  mkfifo(path, 0666);
}

static void make_socket(const char *path, const struct folders *folders)
{
  (void)path;
  // The path of a socket is short, so it is made from within the folder.
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "leaf.so"};
  char old[PATH_MAX];
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || !getcwd(old, sizeof old) || chdir(folders->work) < 0 ||
      bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chdir(old) < 0)
    abort();
  close(fd);
}

static void make_empty(const char *path, const struct folders *folders)
{
  (void)folders;
  file_write(path, "", 0);
}

static void make_text(const char *path, const struct folders *folders)
{
  static const char text[] = "INPUT ( libleaf.so.1 )\n";
  (void)folders;
  file_write(path, text, sizeof text - 1);
}

static void make_link(const char *path, const char *target)
{
  if (symlink(target, path) < 0)
    abort();
}
static void make_zeros(const char *path, const struct folders *folders)
{
  (void)folders, make_link(path, "/dev/zero");
}
static void make_null(const char *path, const struct folders *folders)
{
  (void)folders, make_link(path, "/dev/null");
}
static void make_loop(const char *path, const struct folders *folders)
{
  (void)folders, make_link(path, "leaf.so");
}
static void make_dangling(const char *path, const struct folders *folders)
{
  (void)folders, make_link(path, "none");
}
static void make_program(const char *path, const struct folders *folders)
{
  (void)folders, make_link(path, "/proc/self/exe");
}

static void make_library(const char *path, const struct folders *folders)
{
  make_link(path, image_path(folders->good, "ordinary"));
}

static void make_object(const char *path, const struct folders *folders)
{
  char target[PATH_MAX];
  snprintf(target, sizeof target, "%s/object.o", folders->good);
  make_link(path, target);
}

static void make_magic(const char *path, const struct folders *folders)
{
  (void)folders;
  file_write(path, "\177ELF", 4);
}

// As large as files get, and all zeros.
static void make_sparse(const char *path, const struct folders *folders)
{
  (void)folders;
  file_write(path, "", 0);
  if (truncate(path, 1ll << 40) < 0)
    abort();
}

static const struct row {
  const char *name;
  void (*make)(const char *path, const struct folders *folders);
  enum pkgimg_status verify, load, dependency;
} rows[] = {
    {"nothing", make_nothing, PKGIMG_NOT_FOUND, PKGIMG_NOT_FOUND, PKGIMG_NOT_FOUND},
    {"dangling link", make_dangling, PKGIMG_NOT_FOUND, PKGIMG_NOT_FOUND, PKGIMG_NOT_FOUND},
    {"link to itself", make_loop, PKGIMG_SYSTEM, PKGIMG_SYSTEM, PKGIMG_SYSTEM},
    {"folder", make_folder, PKGIMG_NOT_AN_IMAGE, PKGIMG_SYSTEM, PKGIMG_SYSTEM},
    {"pipe", make_pipe, PKGIMG_NOT_AN_IMAGE, PKGIMG_SYSTEM, PKGIMG_SYSTEM},
    {"socket", make_socket, PKGIMG_SYSTEM, PKGIMG_SYSTEM, PKGIMG_SYSTEM},
    {"empty file", make_empty, PKGIMG_TRUNCATED, PKGIMG_TRUNCATED, PKGIMG_TRUNCATED},
    {"four bytes", make_magic, PKGIMG_TRUNCATED, PKGIMG_TRUNCATED, PKGIMG_TRUNCATED},
    {"text", make_text, PKGIMG_NOT_AN_IMAGE, PKGIMG_NOT_AN_IMAGE, PKGIMG_NOT_AN_IMAGE},
    {"/dev/null", make_null, PKGIMG_NOT_AN_IMAGE, PKGIMG_TRUNCATED, PKGIMG_TRUNCATED},
    {"/dev/zero", make_zeros, PKGIMG_NOT_AN_IMAGE, PKGIMG_NOT_AN_IMAGE, PKGIMG_NOT_AN_IMAGE},
    {"a sparse file of 1 TiB", make_sparse, PKGIMG_NOT_AN_IMAGE, PKGIMG_NOT_AN_IMAGE, PKGIMG_NOT_AN_IMAGE},
    {"ordinary shared library", make_library, PKGIMG_NOT_AN_IMAGE, PKGIMG_NOT_AN_IMAGE, PKGIMG_NOT_AN_IMAGE},
    {"object file", make_object, PKGIMG_NOT_AN_IMAGE, PKGIMG_NOT_AN_IMAGE, PKGIMG_NOT_AN_IMAGE},
    {"program", make_program, PKGIMG_NOT_AN_IMAGE, PKGIMG_NOT_AN_IMAGE, PKGIMG_NOT_AN_IMAGE},
};

static void remove_old(const char *path)
{
  if (unlink(path) < 0)
    rmdir(path);
}

static bool run_row(const struct row *row, const struct folders *folders)
{
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s", image_path(folders->work, "leaf"));
  bytes_read = 0;
  limited = true;
  remove_old(path);
  row->make(path, folders);
  struct expectation verify = {row->name, row->verify, NULL}, load = {row->name, row->load, NULL},
                     dependency = {row->name, row->dependency, NULL};
  bool good = expect_verify(&verify, path);
  for (enum pkgimg_prefetch how = PKGIMG_PREFETCH_NONE; how <= PKGIMG_PREFETCH_RING; how++)
    good &= expect_load(&load, path, how) & expect_load(&dependency, image_path(folders->work, "full"), how);
  remove_old(path);
  limited = false;
  return good;
}

unsigned run_files(const struct folders *folders)
{
  static const char *const needed[] = {"full", NULL};
  unsigned failures = 0;
  copy_good(folders, needed);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    failures += !run_row(&rows[i], folders);
  return failures;
}

// ---- a file that may not be read

// In a child, since privileges do not come back. 77: even so it may be read, or the folder may not.
static int child(const struct folders *folders)
{
  enum { NOBODY = 65534 };
  struct expectation refused = {"unreadable", PKGIMG_SYSTEM, "open"};
  const char *leaf = image_path(folders->work, "leaf"), *full = image_path(folders->work, "full");
  if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) < 0)
    return 77;
  if (access(full, R_OK) < 0 || access(leaf, R_OK) == 0)
    return 77;
  bool good = expect_verify(&refused, leaf);
  good &= expect_load(&refused, leaf, PKGIMG_PREFETCH_NONE);
  good &= expect_load(&refused, full, PKGIMG_PREFETCH_NONE);
  return !good;
}

unsigned run_unreadable(const struct folders *folders)
{
  static const char *const needed[] = {"leaf", "full", NULL};
  int status = 0;
  copy_good(folders, needed);
  chmod(image_path(folders->work, "leaf"), 0);
  pid_t pid = fork();
  if (pid == 0)
    _exit(child(folders));
  if (pid < 0 || waitpid(pid, &status, 0) < 0)
    abort();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    puts("skipped: the file can be read, or its folder cannot");
    return SKIPPED;
  }
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}
