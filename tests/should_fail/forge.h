// SPDX-License-Identifier: MIT
//
// Forging images: a file in memory whose fields are overwritten, and whose hashes and build ids are
// then made right again, so that a load gets past them to the checks behind. Every function copes
// with contents that are broken already, since fuzzing forges forgeries.
#ifndef SHOULD_FAIL_FORGE_H
#define SHOULD_FAIL_FORGE_H

#include "format/view.h"

struct forgery {
  uint8_t *bytes;  // from malloc
  size_t size;
  uint64_t note;  // offset of the format's note
};

/// Take a copy of bytes. False, and nothing taken, when they hold no note of the format.
bool forgery_init(struct forgery *forgery, const void *bytes, size_t size);
void forgery_deinit(struct forgery *forgery);

/// Whole files. These end the test when the system refuses.
struct forgery forgery_read(const char *path);
void forgery_write(const struct forgery *forgery, const char *path);
void file_write(const char *path, const void *bytes, size_t size);

struct disk_header *forgery_header(const struct forgery *forgery);
/// NULL when they are not inside of the file.
struct disk_tables *forgery_tables(const struct forgery *forgery);
struct disk_closure *forgery_closure(const struct forgery *forgery);

/// What forgery_seal makes right again.
enum seal {
  SEAL_NOTHING,
  SEAL_HASHES,  ///< of the tables, the geometry, the data and the closure; build ids stay as they are
  SEAL_ALL,     ///< and the build id, in its three places
};
void forgery_seal(struct forgery *forgery, enum seal seal);

/// Write a build id in its three places, whatever the bytes hash to. Rings of dependencies need it.
void forgery_set_build_id(struct forgery *forgery, const uint8_t build_id[16]);

/// Make `dependency` the image that member `index` of the closure means, and that every dependency
/// with the same build id means. Not sealed afterwards.
void forgery_adopt(struct forgery *forgery, uint32_t index, const struct forgery *dependency);

/// Insert `size` zero bytes (a multiple of 64; of a page, where there is a heap behind them) at the end of the tables;
/// returns their offset in the tables.
uint32_t forgery_grow_tables(struct forgery *forgery, size_t size);

#endif
