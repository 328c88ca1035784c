/* SPDX-License-Identifier: MIT
 *
 * TLS descriptors on x86-64 (Oliva and Araujo, "Thread-Local Storage Descriptors for IA32 and
 * AMD64/EM64T"). In: %rax points to the descriptor, whose second word is module << 32 | offset.
 * Out: %rax = address of the object - thread pointer. Every other register keeps its value,
 * vectors too, which is why the slow path saves the whole extended state.
 */
        .text
        .globl  tlsdesc_resolve
        .hidden tlsdesc_resolve
        .type   tlsdesc_resolve, @function
        .p2align 4
tlsdesc_resolve:
        .cfi_startproc
        pushq   %rcx
        .cfi_adjust_cfa_offset 8
        pushq   %rdx
        .cfi_adjust_cfa_offset 8
        movq    8(%rax), %rcx
        movl    %ecx, %eax                      /* offset */
        shrq    $32, %rcx                       /* module */
        movq    tls_blocks@gottpoff(%rip), %rdx
        cmpq    %fs:8(%rdx), %rcx
        jae     1f
        movq    %fs:(%rdx), %rdx
        movq    (%rdx,%rcx,8), %rdx
        testq   %rdx, %rdx
        jz      1f
        addq    %rdx, %rax
        subq    %fs:0, %rax
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        ret

1:      .cfi_adjust_cfa_offset 16
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        pushq   %rbx
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %r12
        pushq   %r13
        movq    %rax, %r12                      /* offset */
        movq    %rcx, %r13                      /* module */
        xorl    %ecx, %ecx                      /* cpuid 13.0: %ebx = size of the enabled state */
        movl    $13, %eax
        cpuid
        subq    %rbx, %rsp
        andq    $-64, %rsp
        movq    $0, 512(%rsp)                   /* the header of the xsave area begins empty */
        movq    $0, 520(%rsp)
        movq    $0, 528(%rsp)
        movq    $0, 536(%rsp)
        movq    $0, 544(%rsp)
        movq    $0, 552(%rsp)
        movq    $0, 560(%rsp)
        movq    $0, 568(%rsp)
        movl    $-1, %eax
        movl    $-1, %edx
        xsave64 (%rsp)
        movq    %r13, %rdi
        call    tls_make_block
        addq    %rax, %r12
        subq    %fs:0, %r12
        movl    $-1, %eax
        movl    $-1, %edx
        xrstor64 (%rsp)
        movq    %r12, %rax
        leaq    -72(%rbp), %rsp
        popq    %r13
        popq    %r12
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rbx
        popq    %rbp
        .cfi_def_cfa %rsp, 24
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc
        .size   tlsdesc_resolve, . - tlsdesc_resolve
        .section .note.GNU-stack, "", @progbits
