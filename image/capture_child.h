// SPDX-License-Identifier: MIT
//
// What the files of the capture child share. Everything runs in one thread.
#ifndef IMAGE_CAPTURE_CHILD_H
#define IMAGE_CAPTURE_CHILD_H

#include "image/runtime.h"
#include "serializer/snapshot.h"

#include <stdio.h>

#define CHILD_STARTED "PKGIMG_CAPTURE_STARTED"

struct child_image {
  const char *path;
  uint64_t place, heap_place;
  struct pkgimg_image *image;
};

struct child_plan {
  const char *function, *heap_file, *snapshot_file;
  unsigned run;
  uint64_t heap_place;
  struct child_image *images;
  size_t image_count;
  uint64_t *watched;
  size_t watched_count;
};

/// An image's W.
static inline uint8_t *data_of(const struct pkgimg_image *image)
{
  return (uint8_t *)image_base(image) + FORMAT_W_START;
}

static inline uint64_t data_size(const struct pkgimg_image *image)
{
  return image->geometry.areas[AREA_W].memory_size;
}

/// What has to be compared with the state at the end.
struct child_before;
struct child_before *look_before(const struct child_plan *plan);

/// Write everything that the build needs to know.
void write_snapshot(const struct child_plan *plan, const struct child_before *before);

/// What the process has besides its memory. NULL if there is not enough of that.
struct process_before;
struct process_before *process_look(void);
/// Say what stayed behind in the process since, a line each; but for the child's own descriptor.
void process_complain(const struct process_before *before, int own, FILE *out);

struct child_symbol {
  uint64_t value;
  const char *name, *version;
  uint8_t type;
  size_t order;  ///< in which it was found
};
struct child_symbols {
  struct child_symbol *items;
  size_t count, capacity;
};
/// Symbols of the host that the package may point to, ascending by value. Of several with one value the first is
/// to be taken: imports of the package itself come before those of its dependencies.
void find_host_symbols(const struct child_plan *plan, struct child_symbols *found);

/// The child's own versions of host functions. They note what shall happen at the end of a process, and show
/// clocks that differ from run to run. To be called before the first image is loaded.
void recorder_init(void);
/// From now on, for this image.
void recorder_begin(const struct pkgimg_image *image, unsigned run);
/// The struct disk_exit that were noted.
uint64_t recorder_exits(uint64_t *count);
/// The time that the package sees, in seconds since 1970.
uint64_t recorder_time(void);
/// Have the plan's watched allocations reported into the snapshot's file.
void recorder_watch(const struct child_plan *plan);

#endif
