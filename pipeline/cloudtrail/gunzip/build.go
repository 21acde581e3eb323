package gunzip

import "math/bits"

// build fills a table, whose first index has width bits, with codes of these lengths; 0: the symbol has none. It returns
// false when there are more codes than there can be, or fewer: none at all and a single one of one bit are allowed.
// Source: RFC 1951, section 3.2.2.
func build(table []uint32, width int, lengths []uint8, entry func(symbol int) uint32) bool {
	var counts, places [codeBits + 2]int
	for _, n := range lengths {
		counts[n]++
	}
	longest, left := 0, 1 // codes of n bits that no shorter code begins
	for n := 1; n <= codeBits; n++ {
		left = 2*left - counts[n]
		if left < 0 {
			return false
		}
		if counts[n] > 0 {
			longest = n
		}
		places[n+1] = places[n] + counts[n]
	}
	if left > 0 && longest > 1 {
		return false
	}
	b := builder{table: table, width: width, longest: longest, entry: entry}
	for symbol, n := range lengths {
		if n > 0 {
			b.symbols[places[n]] = uint16(symbol)
			places[n]++
		}
	}
	b.first(counts[1 : width+1])
	b.second(counts[width+1 : codeBits+1])
	return true
}

// builder gives out codes: they count upwards, by length and then by symbol. In the stream their bits are reversed.
type builder struct {
	table          []uint32
	width, longest int
	entry          func(symbol int) uint32
	symbols        [288]uint16 // by the length of their codes
	done           int         // how many have their code
	code           uint16      // the next
}

// next gives out a code of n bits. It returns the code as it stands in the stream, and its entry.
func (b *builder) next(n int) (reversed int, entry uint32) {
	reversed = int(bits.Reverse16(b.code) >> (16 - n))
	entry = b.entry(int(b.symbols[b.done])) + uint32(n)<<8 + uint32(n)
	b.code++
	b.done++
	return reversed, entry
}

// first fills the first table with the codes that fit into its index; counts says how many there are of one
// bit, of two, and so on.
func (b *builder) first(counts []int) {
	b.table[0] = unusual
	for i, count := range counts {
		copy(b.table[1<<i:2<<i], b.table[:1<<i]) // what is shorter stands for both bits that may follow
		b.code <<= 1
		for range count {
			reversed, entry := b.next(i + 1)
			b.table[reversed] = entry
		}
	}
}

// second makes the second tables, all of the same size, for the codes that are longer.
func (b *builder) second(counts []int) {
	free, size := 1<<b.width, b.longest-b.width
	for i, count := range counts {
		b.code <<= 1
		for range count {
			reversed, entry := b.next(b.width + i + 1)
			head := &b.table[reversed&(1<<b.width-1)]
			if *head&second == 0 {
				*head = unusual | second | uint32(free)<<16 | uint32(size)<<8
				free += 1 << size
			}
			start := int(*head >> 16)
			for k := reversed >> b.width; k < 1<<size; k += 2 << i {
				b.table[start+k] = entry
			}
		}
	}
}
