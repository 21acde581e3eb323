#include "textflag.h"

// SIXTEEN gathers the marks of the sixteen bytes at an offset of SI into a register. V and T are scratch.
// X0 holds zeros, X1 the bytes 2, X2 0x20 and X3 backslashes: with the second bit turned, the quote and all below the space
// are at most 0x20, and subtracting that, down to zero at the least, leaves zero of just these.
#define SIXTEEN(offset, V, T, to) \
	MOVOU    offset(SI), V; \
	MOVO     V, T;          \
	PXOR     X1, T;         \
	PSUBUSB  X2, T;         \
	PCMPEQB  X0, T;         \
	POR      V, T;          \
	PCMPEQB  X3, V;         \
	POR      T, V;          \
	PMOVMSKB V, to

// func mark(to, text []byte)
TEXT ·mark(SB), NOSPLIT, $0-48
	MOVQ to_base+0(FP), DI
	MOVQ text_base+24(FP), SI
	MOVQ text_len+32(FP), CX
	SHRQ $6, CX
	JZ   done

	PXOR       X0, X0
	MOVQ       $0x0202020202020202, AX
	MOVQ       AX, X1
	PUNPCKLQDQ X1, X1
	MOVQ       $0x2020202020202020, AX
	MOVQ       AX, X2
	PUNPCKLQDQ X2, X2
	MOVQ       $0x5C5C5C5C5C5C5C5C, AX
	MOVQ       AX, X3
	PUNPCKLQDQ X3, X3

sixtyfour:
	SIXTEEN(0, X4, X5, AX)
	SIXTEEN(16, X6, X7, BX)
	SIXTEEN(32, X8, X9, DX)
	SIXTEEN(48, X10, X11, R8)
	SHLQ $16, BX
	SHLQ $32, DX
	SHLQ $48, R8
	ORQ  BX, AX
	ORQ  R8, DX
	ORQ  DX, AX
	MOVQ AX, (DI)
	ADDQ $64, SI
	ADDQ $8, DI
	DECQ CX
	JNZ  sixtyfour

done:
	RET
