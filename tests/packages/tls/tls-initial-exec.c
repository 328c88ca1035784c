// SPDX-License-Identifier: MIT
//
// Must be refused: initial-exec objects live at an offset from the thread pointer that only ld.so
// can hand out, at the start of the process.
__attribute__((tls_model("initial-exec"))) _Thread_local int counter_at_fixed_offset = 1;

int main(void) {
  return counter_at_fixed_offset++;
}
