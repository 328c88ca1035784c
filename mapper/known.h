// SPDX-License-Identifier: MIT
//
// Files that nobody has written since, told without opening them. A file may carry a note on the state of another
// one, as an extended attribute: it is no part of its bytes, and a file system may lose it.
#ifndef MAPPER_KNOWN_H
#define MAPPER_KNOWN_H

#include "mapper/mapper.h"

/// stat(2): whoever changes the bytes of a file changes the time of its last change, and a file that takes its place
/// has another inode.
struct file_state {
  uint64_t inode, size;
  int64_t changed, changed_nanoseconds;
};

/// False if there is no such file.
bool file_state_read(const char *path, struct file_state *state, struct map_counts *counts);
/// Wait until another change would have another time: some milliseconds, right after a change. False if it was changed
/// in the future.
bool file_state_settle(const struct file_state *state);

struct file_note {
  uint8_t carrier[16];  ///< build id of the file with the note, which may have got other bytes since
  struct file_state state;
};

/// False if there is none.
bool file_note_read(const struct image_handle *handle, struct file_note *note, struct map_counts *counts);
/// Where a file system does not take it, there is none.
void file_note_write(const char *path, const struct file_note *note);

#endif
