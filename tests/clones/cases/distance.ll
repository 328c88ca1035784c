; SPDX-License-Identifier: MIT
; A word that holds a distance to a function needs the function at one place.
;@ run 9 -
;@ run 9 avx2
@distance = constant i32 trunc (i64 sub (i64 ptrtoint (ptr @count to i64), i64 ptrtoint (ptr @distance to i64)) to i32)
define internal i32 @count(i32 %n) noinline {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  %j = add i32 %i, 1
  call void asm sideeffect "", ""()
  %more = icmp slt i32 %j, %n
  br i1 %more, label %loop, label %out
out:
  ret i32 %j
}
define i32 @main(i32 %n, ptr %v) {
  %d = load volatile i32, ptr @distance
  %w = sext i32 %d to i64
  %p = getelementptr i8, ptr @distance, i64 %w
  %r = call i32 %p(i32 9)
  ret i32 %r
}
