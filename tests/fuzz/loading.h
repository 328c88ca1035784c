// SPDX-License-Identifier: MIT
//
// What targets that load from files share: a folder for the files of one input, and questions to what was loaded.
#ifndef FUZZ_LOADING_H
#define FUZZ_LOADING_H

#include <pkgimg/pkgimg.h>
#include <stddef.h>
#include <stdint.h>

/// A new folder for each input, since libFuzzer ends without saying so; in memory where the system has such a
/// place.
struct fuzz_folder {
  char path[64];
};
struct fuzz_folder fuzz_folder_make(void);

/// A file of this size, that begins with these bytes; the rest is zeros.
void fuzz_write(const char *path, const uint8_t *bytes, size_t written, size_t size);

/// Look symbols up, some that images of the seeds have, and addresses.
void fuzz_look_up(struct pkgimg_runtime *runtime, struct pkgimg_image *image);

#endif
