; SPDX-License-Identifier: MIT
; What file-level assembly says of a name holds for all who use it: they have one body, beside the assembly. Before
; version 2.3.3, nftw took flags that it does not know.
;@ targets x86-64;x86-64-v2,clone_all;x86-64-v3
;@ plain uses
;@ plain named
;@ plain other
;@ clone through_table.symver.static 0 1
;@ run 7 -
;@ run 7 sse3
module asm ".symver nftw_old, nftw@GLIBC_2.2.5"
module asm ".globl by_assembly"
module asm ".set by_assembly, named"
@root = internal constant [2 x i8] c"/\00"
@table = internal constant [2 x ptr] [ptr @nftw_old, ptr null]
@llvm.compiler.used = appending global [1 x ptr] [ptr @named], section "llvm.metadata"
@place = internal global i64 0
declare i32 @nftw_old(ptr, ptr, i32, i32)
declare i32 @by_assembly(i32)
define internal i32 @stop(ptr %path, ptr %status, i32 %kind, ptr %place) {
  ret i32 3
}
define i32 @uses() noinline {
  %r = call i32 @nftw_old(ptr @root, ptr @stop, i32 1, i32 1048576)
  ret i32 %r
}
define internal i32 @through_table(i64 %at) noinline {
  %slot = getelementptr [2 x ptr], ptr @table, i64 0, i64 %at
  %function = load ptr, ptr %slot
  %r = call i32 %function(ptr @root, ptr @stop, i32 1, i32 1048576)
  ret i32 %r
}
define internal i32 @named(i32 %x) noinline {
  %y = add i32 %x, 1
  ret i32 %y
}
define i32 @other(i32 %x) noinline {
  %y = call i32 @by_assembly(i32 %x)
  ret i32 %y
}
define i32 @main(i32 %n, ptr %v) {
  %a = call i32 @uses()
  %at = load volatile i64, ptr @place
  %b = call i32 @through_table(i64 %at)
  %c = add i32 %a, %b
  %d = call i32 @other(i32 %c)
  ret i32 %d
}
