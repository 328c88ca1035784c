; SPDX-License-Identifier: MIT
; The source has the last word.
;@ clone wanted 0 1 2
;@ plain unwanted
;@ plain main
;@ table main wanted
;@ run 12 -
;@ run 12 sse3
@.yes = private unnamed_addr constant [13 x i8] c"pkgimg.clone\00", section "llvm.metadata"
@.no = private unnamed_addr constant [16 x i8] c"pkgimg.no_clone\00", section "llvm.metadata"
@.file = private unnamed_addr constant [4 x i8] c"x.c\00", section "llvm.metadata"
@llvm.global.annotations = appending global [2 x { ptr, ptr, ptr, i32, ptr }] [{ ptr, ptr, ptr, i32, ptr } { ptr @wanted, ptr @.yes, ptr @.file, i32 1, ptr null }, { ptr, ptr, ptr, i32, ptr } { ptr @unwanted, ptr @.no, ptr @.file, i32 2, ptr null }], section "llvm.metadata"
define i32 @wanted(i32 %x) noinline {
  %r = mul i32 %x, 3
  ret i32 %r
}
define i32 @unwanted(i32 %n) noinline {
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
  %a = call i32 @wanted(i32 2)
  %b = call i32 @unwanted(i32 6)
  %r = add i32 %a, %b
  ret i32 %r
}
