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
/// `stored` tells file, offset and error of messages; its bytes are not used. `size` is what the frame has to unpack
/// to. NULL: out of memory.
struct unpacker *unpacker_create(const struct reader *stored, uint64_t size);
void unpacker_destroy(struct unpacker *unpacker);

/// Unpack from `*input`, which is shortened by what was used, until `size` bytes are made or the input is used up.
/// `made` receives how many there are. What contradicts the format is PKGIMG_MALFORMED.
PKGIMG_MUST_USE enum pkgimg_status unpack(struct unpacker *unpacker, struct span *input, uint8_t *bytes, size_t size,
                                          size_t *made);
/// Whether more input is of no use: the frame ended, and its checksum was right, or too much was made.
bool unpacker_is_done(const struct unpacker *unpacker);
/// What has to be when an attempt was made to unpack more than all: the size is right, the frame ended, and none of
/// the stored bytes is left.
PKGIMG_MUST_USE enum pkgimg_status unpacker_finish(const struct unpacker *unpacker, uint64_t left);

/// Unpack a stored heap as a whole, to exactly `size` bytes.
PKGIMG_MUST_USE enum pkgimg_status unpack_whole(const struct reader *stored, uint8_t *bytes, uint64_t size,
                                                struct pkgimg_error *error);

#endif
