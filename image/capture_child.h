// SPDX-License-Identifier: MIT
//
// What the files of the capture child share. Everything runs in one thread.
#ifndef IMAGE_CAPTURE_CHILD_H
#define IMAGE_CAPTURE_CHILD_H

#include "image/runtime.h"
#include "serializer/snapshot.h"

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

/// What has to be compared with the state at the end.
struct child_before;
struct child_before *look_before(const struct child_plan *plan);

/// Write everything that the build needs to know.
void write_snapshot(const struct child_plan *plan, struct child_before *before);

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
