// SPDX-License-Identifier: MIT
#include "mapper/known.h"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

static const char attribute[] = "user.pkgimg.main";

bool file_state_read(const char *path, struct file_state *state, struct map_counts *counts)
{
  struct stat status;
  counts->system_calls++;
  if (stat(path, &status) != 0)
    return false;
  *state = (struct file_state){.inode = status.st_ino,
                               .size = (uint64_t)status.st_size,
                               .changed = status.st_ctim.tv_sec,
                               .changed_nanoseconds = status.st_ctim.tv_nsec};
  return true;
}

// The kernel's clock for files ticks every 10 ms at least.
enum { TICK = 10000000, SECOND = 1000000000 };

static bool is_fresh(const struct file_state *state)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  int64_t seconds = now.tv_sec - state->changed;
  return seconds < 0 || (seconds < 2 && seconds * SECOND + now.tv_nsec - state->changed_nanoseconds <= TICK);
}

bool file_state_settle(const struct file_state *state)
{
  struct timespec two_ticks = {.tv_nsec = 2 * TICK};
  if (is_fresh(state))
    nanosleep(&two_ticks, NULL);
  return !is_fresh(state);
}

bool file_note_read(const struct image_handle *handle, struct file_note *note, struct map_counts *counts)
{
  counts->system_calls++;
  return fgetxattr(handle->fd, attribute, note, sizeof *note) == sizeof *note;
}

void file_note_write(const char *path, const struct file_note *note)
{
  if (setxattr(path, attribute, note, sizeof *note, 0) != 0)
    removexattr(path, attribute);
}
