; SPDX-License-Identifier: MIT
; Must be refused: local-exec objects belong to the executable.
@counter_of_the_executable = thread_local(localexec) global i32 1

define i32 @main() {
  %address = call ptr @llvm.threadlocal.address.p0(ptr @counter_of_the_executable)
  %value = load i32, ptr %address
  ret i32 %value
}

declare ptr @llvm.threadlocal.address.p0(ptr)
