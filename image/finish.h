// SPDX-License-Identifier: MIT
//
// From objects to an image: lld, resolution against dependencies, the writer.
#ifndef IMAGE_FINISH_H
#define IMAGE_FINISH_H

#include "image/targets.h"

PKGIMG_MUST_USE enum pkgimg_status finish_image(const struct pkgimg_build_options *options,
                                                const struct codegen_result *code,
                                                const struct target_list *targets, const struct deps *deps,
                                                struct buffer *image, struct pkgimg_error *error);

#endif
