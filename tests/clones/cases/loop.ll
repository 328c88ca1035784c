; SPDX-License-Identifier: MIT
; A loop that counts gains from every target with better vectors. What calls it, but has none, stays outside and goes
; through the table; a search, a walk along a list, a loop around calls or around one volatile word gain nothing.
;@ clone count 0 1 2
;@ clone nested 0 1 2
;@ clone sum 0 1 2
;@ clone fused 0 2
;@ clone bits 0 1 2
;@ plain main
;@ plain find
;@ plain walk
;@ plain repeat
;@ plain wait
;@ table main count
;@ run 7 -
;@ run 7 avx2
;@ run 7 sse3
@cells = global [64 x i8] zeroinitializer
@word = global i32 0
declare double @llvm.fmuladd.f64(double, double, double)
declare i32 @llvm.ctpop.i32(i32)
define i32 @count(i32 %n) noinline {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  %cell = getelementptr i8, ptr @cells, i32 %i
  %byte = trunc i32 %i to i8
  store i8 %byte, ptr %cell
  %j = add i32 %i, 1
  %more = icmp slt i32 %j, %n
  br i1 %more, label %loop, label %out
out:
  ret i32 %j
}
define void @nested(ptr %at, i64 %rows, i64 %columns) noinline {
entry:
  br label %row
row:
  %i = phi i64 [ 0, %entry ], [ %next, %rest ]
  %line = getelementptr [64 x i32], ptr %at, i64 %i
  br label %column
column:
  %j = phi i64 [ 0, %row ], [ %k, %column ]
  %cell = getelementptr i32, ptr %line, i64 %j
  %old = load i32, ptr %cell
  %new = mul i32 %old, 3
  store i32 %new, ptr %cell
  %k = add nuw i64 %j, 1
  %more = icmp ult i64 %k, %columns
  br i1 %more, label %column, label %rest
rest:
  call void asm sideeffect "", ""()
  %next = add nuw i64 %i, 1
  %again = icmp ult i64 %next, %rows
  br i1 %again, label %row, label %out
out:
  ret void
}
define i32 @sum(ptr %from, ptr %to) noinline {
entry:
  br label %loop
loop:
  %at = phi ptr [ %from, %entry ], [ %next, %loop ]
  %sum = phi i32 [ 0, %entry ], [ %more, %loop ]
  %value = load i32, ptr %at
  %more = add i32 %sum, %value
  %next = getelementptr i32, ptr %at, i64 1
  %end = icmp eq ptr %next, %to
  br i1 %end, label %out, label %loop
out:
  ret i32 %more
}
define i64 @find(ptr %at, i8 %wanted, i64 %n) noinline {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %next ]
  %cell = getelementptr i8, ptr %at, i64 %i
  %found = load i8, ptr %cell
  %is = icmp eq i8 %found, %wanted
  br i1 %is, label %out, label %next
next:
  %j = add nuw i64 %i, 1
  %more = icmp ult i64 %j, %n
  br i1 %more, label %loop, label %out
out:
  ret i64 %i
}
define i32 @walk(ptr %first) noinline {
entry:
  br label %loop
loop:
  %at = phi ptr [ %first, %entry ], [ %next, %loop ]
  %n = phi i32 [ 0, %entry ], [ %m, %loop ]
  %m = add i32 %n, 1
  %next = load ptr, ptr %at
  %end = icmp eq ptr %next, null
  br i1 %end, label %out, label %loop
out:
  ret i32 %m
}
define void @repeat(ptr %what, i32 %n) noinline {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  call void %what(i32 %i)
  %j = add i32 %i, 1
  %more = icmp slt i32 %j, %n
  br i1 %more, label %loop, label %out
out:
  ret void
}
define void @wait(i32 %n) noinline {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  store volatile i32 %i, ptr @word
  %j = add i32 %i, 1
  %more = icmp slt i32 %j, %n
  br i1 %more, label %loop, label %out
out:
  ret void
}
define double @fused(double %x) noinline {
  %y = call double @llvm.fmuladd.f64(double %x, double %x, double 1.0)
  ret double %y
}
define i32 @bits(i32 %x) noinline {
  %y = call i32 @llvm.ctpop.i32(i32 %x)
  ret i32 %y
}
define i32 @main(i32 %n, ptr %v) {
  %k = add i32 %n, 6
  %r = call i32 @count(i32 %k)
  ret i32 %r
}
