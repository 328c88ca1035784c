// SPDX-License-Identifier: MIT
//
// The counters of a load, as a table for people or as one JSON object. Takes no measurement
// itself.
#ifndef CLI_STATS_H
#define CLI_STATS_H

#include <pkgimg/pkgimg.h>

#include <stdio.h>

void stats_print_text(FILE *file, const struct pkgimg_stats *stats);
void stats_print_json(FILE *file, const struct pkgimg_stats *stats);

#endif
