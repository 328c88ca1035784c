// SPDX-License-Identifier: MIT
//
// What an inspection holds, for the files that answer its questions.
#ifndef IMAGE_INSPECTION_H
#define IMAGE_INSPECTION_H

#include "base/array.h"
#include "cpuid/choose.h"
#include "format/view.h"

#include <pkgimg/inspect.h>

struct pkgimg_inspection {
  char *path;
  struct buffer bytes;
  struct image_file file;
  struct pkgimg_summary summary;
  struct cpu_ranking ranking;  // of its targets, on this machine
  struct target_texts {
    char features[1024], missing[512];
  } *targets;
  size_t *uses;       // of each import
  uint32_t *exports;  // indices of defined dynamic symbols
  size_t export_count;
};

#endif
