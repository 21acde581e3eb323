package gunzip

import "encoding/binary"

// inflate inflates of a block what there is room for.
func (z *Reader) inflate() error {
	for z.end <= history+room {
		z.quick()
		done, err := z.symbol()
		if done {
			z.step = (*Reader).block
		}
		if done || err != nil {
			return err
		}
	}
	return nil
}

// quick inflates until there is little input or room left, or before a symbol that is neither a literal nor a good match.
// What it works with stands in variables of its own, which the compiler keeps in registers.
func (z *Reader) quick() {
	c, out, buf := &z.codes, &z.out, z.buf[:z.filled]
	next, bits, count, end := z.next, z.bits, z.count, z.end
	for next+16 <= len(buf) && end <= history+room {
		next, bits, count = refill(buf, next, bits, count)
		e := c.literals[bits&literalMask]
		for n := 0; e&literal != 0 && n < 3; n++ { // so many fit into a word, and another look at the table
			out[end] = byte(e >> 16)
			end++
			bits, count = bits>>(e&63), count-uint(e&63)
			e = c.literals[bits&literalMask]
		}
		next, bits, count = refill(buf, next, bits, count)
		if e&second != 0 {
			e = c.secondLiteral(e, bits)
		}
		if e&literal != 0 {
			out[end] = byte(e >> 16)
			end++
			bits, count = bits>>(e&63), count-uint(e&63)
			continue
		}
		behind := bits >> (e & 63)
		d := c.distances[behind&distanceMask]
		if d&second != 0 {
			d = c.secondDistance(d, behind)
		}
		from := end - value(d, behind)
		if (e|d)&unusual != 0 || from < z.first {
			break
		}
		end = repeat(out[:], end, from, value(e, bits))
		bits, count = behind>>(d&63), count-uint(e&63)-uint(d&63)
	}
	z.next, z.bits, z.count, z.end = next, bits, count, end
}

// refill takes bytes until there are 56 bits or more. It reads eight bytes whatever it needs.
func refill(buf []byte, next int, bits uint64, count uint) (int, uint64, uint) {
	bits |= binary.LittleEndian.Uint64(buf[next:next+8:next+8]) << (count & 63)
	return next + int((63-count)>>3), bits, count | 56
}

// repeat appends length bytes of what begins at from, and returns the new end. Up to 31 bytes behind it are overwritten.
func repeat(out []byte, end, from, length int) int {
	stop := end + length
	if end-from < 16 { // what is copied is not all there yet
		for ; end < stop; end++ {
			out[end] = out[from]
			from++
		}
		return stop
	}
	for ; end < stop; end += 32 {
		to, text := out[end:end+32:end+32], out[from:from+32:from+32]
		copy(to[:16], text[:16])
		copy(to[16:], text[16:])
		from += 32
	}
	return stop
}

// symbol inflates one symbol, also at the end of the input, and finds out what is wrong with it.
func (z *Reader) symbol() (done bool, err error) {
	err = z.need(48) // the longest has so many; where the file ends a shorter one may still be whole
	c := &z.codes
	e := c.literals[z.bits&literalMask]
	if e&second != 0 {
		e = c.secondLiteral(e, z.bits)
	}
	if e&(literal|blockEnd) != 0 {
		if uint(e&63) > z.count {
			return false, err
		}
		z.drop(uint(e & 63))
		if e&blockEnd == 0 {
			z.out[z.end] = byte(e >> 16)
			z.end++
		}
		return e&blockEnd != 0, nil
	}
	behind := z.bits >> (e & 63)
	d := c.distances[behind&distanceMask]
	if d&second != 0 {
		d = c.secondDistance(d, behind)
	}
	size, distance := uint(e&63)+uint(d&63), value(d, behind)
	if err != nil && (size > z.count || (e|d)&unusual != 0) {
		return false, err
	}
	if (e|d)&unusual != 0 || distance > z.end-z.first {
		return false, z.corrupt()
	}
	z.end = repeat(z.out[:], z.end, z.end-distance, value(e, z.bits))
	z.drop(size)
	return false, nil
}
