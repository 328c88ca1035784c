; SPDX-License-Identifier: MIT
; What no C source says: offsets between symbols, a definition that every image repeats, a
; packed pointer with an addend, constructors as an appending array.
source_filename = "relocs-ir"

@private_text = private unnamed_addr constant [6 x i8] c"in ll\00"
@internal_numbers = internal constant [4 x i32] [i32 3, i32 33, i32 333, i32 3333]
@offsets = internal constant [3 x i32] [
  i32 trunc (i64 sub (i64 ptrtoint (ptr @internal_numbers to i64), i64 ptrtoint (ptr @offsets to i64)) to i32),
  i32 trunc (i64 sub (i64 ptrtoint (ptr getelementptr ([4 x i32], ptr @internal_numbers, i64 0, i64 2) to i64),
                      i64 ptrtoint (ptr getelementptr ([3 x i32], ptr @offsets, i64 0, i64 1) to i64)) to i32),
  i32 trunc (i64 sub (i64 ptrtoint (ptr @private_text to i64),
                      i64 ptrtoint (ptr getelementptr ([3 x i32], ptr @offsets, i64 0, i64 2) to i64)) to i32)]
@packed = internal global <{ i8, ptr, i16, ptr }> <{ i8 1,
  ptr getelementptr ([4 x i32], ptr @internal_numbers, i64 0, i64 3), i16 2,
  ptr getelementptr (i8, ptr @private_text, i64 -1) }>, align 1
@constructed = internal global i64 0
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }] [{ i32, ptr, ptr } { i32 150, ptr @construct, ptr null }]

$lib_shared_once = comdat any
@once = linkonce_odr constant i32 77
@lib_ll_alias = alias i32, getelementptr ([4 x i32], ptr @internal_numbers, i64 0, i64 1)

define internal void @construct() {
  store i64 1000000, ptr @constructed
  ret void
}

define weak_odr ptr @lib_shared_once() comdat {
  ret ptr @once
}

; 0, 1: through an offset; 2: through the packed pointer; 3: the constructor's value; else the alias
define i64 @lib_from_ll(i32 %index) {
  switch i32 %index, label %alias [ i32 0, label %relative
                                    i32 1, label %relative
                                    i32 2, label %pointer
                                    i32 3, label %value ]
relative:
  %wide = zext i32 %index to i64
  %place = getelementptr i32, ptr @offsets, i64 %wide
  %offset = load volatile i32, ptr %place
  %distance = sext i32 %offset to i64
  %target = getelementptr i8, ptr %place, i64 %distance
  %near = load i32, ptr %target
  %result = zext i32 %near to i64
  ret i64 %result
pointer:
  %field = getelementptr <{ i8, ptr, i16, ptr }>, ptr @packed, i64 0, i32 1
  %far = load volatile ptr, ptr %field, align 1
  %last = load i32, ptr %far
  %text.field = getelementptr <{ i8, ptr, i16, ptr }>, ptr @packed, i64 0, i32 3
  %text = load volatile ptr, ptr %text.field, align 1
  %letter.place = getelementptr i8, ptr %text, i64 1
  %letter = load i8, ptr %letter.place
  %a = zext i32 %last to i64
  %b = zext i8 %letter to i64
  %sum = add i64 %a, %b
  ret i64 %sum
value:
  %made = load i64, ptr @constructed
  ret i64 %made
alias:
  %number = load i32, ptr @lib_ll_alias
  %number.wide = zext i32 %number to i64
  ret i64 %number.wide
}
