; SPDX-License-Identifier: MIT
; Functions that run before anybody asks, and that nobody names but the compiler's own lists.
;@ clone setup.lists.static 0 1 2
;@ clone kept.lists.static 0 1 2
;@ run 4 -
;@ run 4 sse3
@got = internal global i32 0
@limit = internal global i32 4
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }] [{ i32, ptr, ptr } { i32 65535, ptr @setup, ptr null }]
@llvm.used = appending global [1 x ptr] [ptr @kept], section "llvm.metadata"
declare i1 @pkgimg.cpu_has.avx2()
define internal i32 @kept(i32 %n) {
entry:
  %asked = call i1 @pkgimg.cpu_has.avx2()
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
define internal void @setup() {
entry:
  %asked = call i1 @pkgimg.cpu_has.avx2()
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  %j = add i32 %i, 1
  store volatile i32 %j, ptr @got
  %limit = load volatile i32, ptr @limit
  %more = icmp slt i32 %j, %limit
  br i1 %more, label %loop, label %out
out:
  ret void
}
define i32 @main(i32 %n, ptr %v) {
  %r = load volatile i32, ptr @got
  ret i32 %r
}
