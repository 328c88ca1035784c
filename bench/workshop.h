// SPDX-License-Identifier: MIT
//
// The work folder: which programs build, what is already there, and the order in which packages can be compiled.
#ifndef BENCH_WORKSHOP_H
#define BENCH_WORKSHOP_H

#include "bench/process.h"
#include "bench/subject.h"

#include <stdarg.h>

/// Join a path; exits if it is too long.
void workshop_path(char path[SUBJECT_PATH], const char *format, ...) __attribute__((format(printf, 2, 3)));

/// The folder of this program, where its siblings are.
const char *workshop_programs(void);

/// Is there a `pkgimg` command beside this program?
bool workshop_has_pkgimg(void);

/// Make FOLDER/NAME and the folders above it.
void workshop_folder(const struct options *options, char path[SUBJECT_PATH], const char *name);

/// Whether `folder` holds what this stamp describes. A stamp is written last: what an interrupted run leaves
/// behind is built again.
bool workshop_is_fresh(const char *folder, const char *stamp);
void workshop_begin(const char *folder);
void workshop_finish(const char *folder, const char *stamp);

/// Bind the image at `root` with all that it needs to FOLDER/root.bundle; fills `path`.
void workshop_bind(const char *folder, const char *root, char path[SUBJECT_PATH]);
/// The same, with the image at `other` and all that it needs, which a load of `root` does not ask for.
void workshop_bind_with(const char *folder, const char *other, const char *root, char path[SUBJECT_PATH]);
/// Bind the same again, by the record of a start if there is one (pkgimg-bind(1)).
void workshop_bind_again(const char *root, const char *path);

/// Drop the files in the folder of `path` from memory.
void workshop_drop(const char *path);

/// What identifies the programs that make images, for stamps.
void workshop_pkgimg_identity(char *text, size_t size);

#endif
