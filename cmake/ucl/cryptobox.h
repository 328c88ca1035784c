// SPDX-License-Identifier: MIT
//
// The hash that a bundled libucl expects of its surroundings, by way of XXH3.
#ifndef UCL_CRYPTOBOX_H
#define UCL_CRYPTOBOX_H

#define XXH_INLINE_ALL
#include <xxhash.h>

typedef XXH3_state_t rspamd_cryptobox_fast_hash_state_t;

#define rspamd_cryptobox_fast_hash(data, size, seed)               XXH3_64bits_withSeed(data, size, seed)
#define rspamd_cryptobox_fast_hash_init(state, seed)               XXH3_64bits_reset_withSeed(state, seed)
#define rspamd_cryptobox_fast_hash_update(state, data, size)       XXH3_64bits_update(state, data, size)
#define rspamd_cryptobox_fast_hash_final(state)                    XXH3_64bits_digest(state)

#endif
