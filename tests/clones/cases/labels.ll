; SPDX-License-Identifier: MIT
; A table of labels goes with the body whose labels they are.
;@ clone run 0 1 2
;@ run 22 -
;@ run 22 avx2
;@ run 22 sse3
@code = constant [5 x i8] c"\00\01\00\01\02"
@labels = internal constant [3 x ptr] [ptr blockaddress(@run, %more), ptr blockaddress(@run, %twice), ptr blockaddress(@run, %end)]
declare i1 @pkgimg.cpu_has.avx2()
define i32 @run(ptr %code) noinline {
entry:
  %asked = call i1 @pkgimg.cpu_has.avx2()
  br label %next
next:
  %at = phi ptr [ %code, %entry ], [ %after, %more ], [ %after, %twice ]
  %s = phi i32 [ 1, %entry ], [ %a, %more ], [ %b, %twice ]
  %op = load i8, ptr %at
  %after = getelementptr i8, ptr %at, i64 1
  %index = zext i8 %op to i64
  %slot = getelementptr ptr, ptr @labels, i64 %index
  %label = load ptr, ptr %slot
  indirectbr ptr %label, [label %more, label %twice, label %end]
more:
  %a = add i32 %s, 3
  br label %next
twice:
  %b = mul i32 %s, 2
  br label %next
end:
  ret i32 %s
}
define i32 @main(i32 %n, ptr %v) {
  %r = call i32 @run(ptr @code)
  ret i32 %r
}
