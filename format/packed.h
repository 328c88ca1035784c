// SPDX-License-Identifier: MIT
//
// A compressed heap: one frame of Zstandard (RFC 8878) with its checksum.
#ifndef FORMAT_PACKED_H
#define FORMAT_PACKED_H

#include "base/array.h"
#include "base/reader.h"

/// Append the packed bytes to `packed`. `file` is for messages.
PKGIMG_MUST_USE enum pkgimg_status pack(const char *file, struct span bytes, struct buffer *packed,
                                        struct pkgimg_error *error);

/// Unpacking in pieces.
struct unpacker;
struct unpacker *unpacker_create(void);  ///< NULL: out of memory
void unpacker_destroy(struct unpacker *unpacker);

/// Unpack from `*input`, which is shortened by what was used, until `size` bytes are made or the input is used up.
/// `made` receives how many there are. What contradicts the format is PKGIMG_MALFORMED.
PKGIMG_MUST_USE enum pkgimg_status unpack(struct unpacker *unpacker, const struct reader *input_file,
                                          struct span *input, uint8_t *bytes, size_t size, size_t *made);
/// Whether the frame ended, and its checksum was right.
bool unpacker_is_done(const struct unpacker *unpacker);

/// Unpack a stored heap as a whole, to exactly `size` bytes.
PKGIMG_MUST_USE enum pkgimg_status unpack_whole(const struct reader *stored, uint8_t *bytes, uint64_t size,
                                                struct pkgimg_error *error);

#endif
