; SPDX-License-Identifier: MIT
; A thread-local object, and enough pointers for a bitset and an array of sites.
target triple = "x86_64-unknown-linux-gnu"

@counter = thread_local global i64 5
@cells = global [8 x i64] zeroinitializer
@pointers = global [16 x ptr] [ptr @cells, ptr null, ptr @cells, ptr null, ptr @cells, ptr @cells, ptr null, ptr null,
                               ptr @cells, ptr null, ptr null, ptr null, ptr @cells, ptr null, ptr null, ptr @value]

define i64 @value() {
  %place = call ptr @llvm.threadlocal.address.p0(ptr @counter)
  %now = load i64, ptr %place
  ret i64 %now
}

declare ptr @llvm.threadlocal.address.p0(ptr)
