// SPDX-License-Identifier: MIT
//
// Observed capture, as a step of a build: the package's initialisation runs in child processes, and what it
// leaves in memory becomes the image's data.
#ifndef IMAGE_CAPTURE_H
#define IMAGE_CAPTURE_H

#include "image/deps.h"
#include "linker/linker.h"
#include "serializer/capture.h"
#include "format/linked.h"

/// The runs of one package. Zero-initialise it.
struct capture {
  const struct pkgimg_build_options *options;
  const struct deps *deps;
  const struct linked *linked;  ///< the package as the linker made it, for names
  struct image_file file;       ///< the package without captured data
  struct buffer bytes;          ///< of that file
  struct scratch scratch;
  struct capture_clones {
    struct {
      uint64_t address;
      uint32_t number;
    } *items;
    size_t count;
  } *clones;  ///< by image: the baseline's bodies, ascending by address
  struct capture_image *images;
  struct capture_child_run {
    int heap_fd, snapshot_fd;
    uint8_t *heap;
    size_t heap_size;
    struct snapshot *snapshot;
    size_t snapshot_size;
    struct buffer output;
  } runs[CAPTURE_RUNS];
  struct capture_result result;
  struct lines *lines;  ///< of the package, once something is to be explained
};
void capture_deinit(struct capture *capture);

/// Run the package's initialisation CAPTURE_RUNS times and compare. `image` is the finished file without
/// captured data; it is moved from.
PKGIMG_MUST_USE enum pkgimg_status capture_package(struct capture *capture,
                                                   const struct pkgimg_build_options *options,
                                                   const struct deps *deps, const struct linked *linked,
                                                   struct buffer *image, struct pkgimg_error *error);

/// The image that a number of the comparison means: a dependency, or NULL for the package.
static inline const struct dep *capture_dep(const struct capture *capture, uint32_t image)
{
  return image < capture->deps->count ? capture->deps->items[image] : NULL;
}

/// Start the child once. `watched` offsets of the heap are reported in its snapshot's place.
PKGIMG_MUST_USE enum pkgimg_status capture_run(struct capture *capture, unsigned run, const uint64_t *watched,
                                               size_t watched_count, int *exit_code, struct pkgimg_error *error);

void capture_run_deinit(struct capture_child_run *run);

// ---- explain.c

/// Say what cannot be captured, finding by finding, to the diagnostics, and fail with the first.
enum pkgimg_status capture_explain(struct capture *capture, struct pkgimg_error *error);
/// Fail with what a run left behind in its process, a line of its own; named by the object that holds it, if the
/// comparison found one.
enum pkgimg_status capture_explain_complaint(struct capture *capture, const char *complaint,
                                             struct pkgimg_error *error);
/// The same for a change of a dependency's data.
enum pkgimg_status capture_explain_change(const struct capture *capture, const struct snapshot_change *change,
                                          struct pkgimg_error *error);

#endif
