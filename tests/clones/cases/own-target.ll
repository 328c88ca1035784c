; SPDX-License-Identifier: MIT
; Code for a processor of the author's own choosing is compiled once, for that one.
;@ plain own
;@ clone other 0 1 2
;@ has own %ymm|vpaddd
;@ lacks other.target0 %ymm|vpaddd
;@ has other.target2 %ymm|vpaddd
;@ run 3 -
define void @own(ptr %p, i64 %n) noinline "target-cpu"="x86-64" "target-features"="+avx2,+sse2" {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %loop ]
  %at = getelementptr i32, ptr %p, i64 %i
  %x = load i32, ptr %at
  %y = add i32 %x, 1
  store i32 %y, ptr %at
  %j = add i64 %i, 1
  %more = icmp slt i64 %j, %n
  br i1 %more, label %loop, label %out
out:
  ret void
}
define void @other(ptr %p, i64 %n) noinline "target-cpu"="x86-64" "target-features"="+cmov,+cx8,+fxsr,+mmx,+sse,+sse2,+x87" {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %loop ]
  %at = getelementptr i32, ptr %p, i64 %i
  %x = load i32, ptr %at
  %y = add i32 %x, 1
  store i32 %y, ptr %at
  %j = add i64 %i, 1
  %more = icmp slt i64 %j, %n
  br i1 %more, label %loop, label %out
out:
  ret void
}
@data = global [100 x i32] zeroinitializer
define i32 @main(i32 %n, ptr %v) {
  call void @own(ptr @data, i64 100)
  call void @own(ptr @data, i64 100)
  call void @other(ptr @data, i64 100)
  %r = load i32, ptr getelementptr (i32, ptr @data, i64 99)
  ret i32 %r
}
