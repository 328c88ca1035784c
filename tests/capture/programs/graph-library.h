// SPDX-License-Identifier: MIT
#ifndef GRAPH_LIBRARY_H
#define GRAPH_LIBRARY_H

extern long library_numbers[64];
extern const char library_text[];
long library_add(long number);
double library_sum(const double *numbers, int count);

#endif
