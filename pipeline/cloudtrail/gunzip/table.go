package gunzip

// A table gives the meaning of a Huffman code by the bits that come next: the first of them are the index. Where a code is
// longer, the entry leads to a second table behind the first. An entry is
//
//	bits 0–5    how many bits are used up, the code's and the extra bits behind it; 0: no code
//	bits 8–12   how many of them are the code's; for a second table: the bits of its index
//	bit 13      the code ends the block
//	bit 14      the value is where a second table begins
//	bit 15      not a literal, length or distance
//	bits 16–30  the value: a literal, or the least length or distance
//	bit 31      the value is a literal
const (
	literal  = 1 << 31
	unusual  = 1 << 15
	second   = 1 << 14
	blockEnd = 1 << 13

	codeBits     = 15 // of the longest code
	literalBits  = 11 // of the first index
	distanceBits = 8
	lengthBits   = 7 // of the codes that lengths of codes are written in

	literalMask, distanceMask = 1<<literalBits - 1, 1<<distanceBits - 1

	// Powers of two, with room for as many second tables as there can be: two codes or more share one.
	literalSize, distanceSize = 8 << 10, 4 << 10
)

// codes are the tables of a block.
type codes struct {
	literals  [literalSize]uint32 // and lengths
	distances [distanceSize]uint32
}

// secondLiteral follows an entry to its second table.
func (c *codes) secondLiteral(e uint32, bits uint64) uint32 {
	return c.literals[(uint64(e>>16)+bits>>literalBits&(1<<(e>>8&31)-1))&(literalSize-1)]
}

// secondDistance follows an entry to its second table.
func (c *codes) secondDistance(e uint32, bits uint64) uint32 {
	return c.distances[(uint64(e>>16)+bits>>distanceBits&(1<<(e>>8&31)-1))&(distanceSize-1)]
}

// value is the length or distance of an entry, with its extra bits.
func value(e uint32, bits uint64) int {
	return int(e>>16) + int(bits&(1<<(e&63)-1)>>(e>>8&31))
}

// fix sets the codes that need no description. Source: RFC 1951, section 3.2.6.
func (c *codes) fix() {
	var lengths [288 + 32]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		case i < 288:
			lengths[i] = 8
		default:
			lengths[i] = 5
		}
	}
	build(c.literals[:], literalBits, lengths[:288], literalEntry)
	build(c.distances[:], distanceBits, lengths[288:], distanceEntry)
}

// literalEntry is what a symbol stands for among literals and lengths. Source: RFC 1951, section 3.2.5.
func literalEntry(symbol int) uint32 {
	switch {
	case symbol < 256:
		return literal | uint32(symbol)<<16
	case symbol == 256:
		return unusual | blockEnd
	case symbol < 265:
		return uint32(symbol-257+3) << 16
	case symbol < 285:
		extra := uint32(symbol-261) / 4
		return ((uint32(symbol-261)%4+4)<<extra+3)<<16 | extra
	case symbol == 285:
		return 258 << 16
	}
	return unusual
}

// distanceEntry is what a symbol stands for among distances. Source: RFC 1951, section 3.2.5.
func distanceEntry(symbol int) uint32 {
	switch {
	case symbol < 4:
		return uint32(symbol+1) << 16
	case symbol < 30:
		extra := uint32(symbol)/2 - 1
		return ((uint32(symbol)%2+2)<<extra+1)<<16 | extra
	}
	return unusual
}

// plainEntry is what a symbol stands for that means itself.
func plainEntry(symbol int) uint32 { return uint32(symbol) << 16 }
