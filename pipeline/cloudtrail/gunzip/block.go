package gunzip

// block reads the header of a block; behind the last one comes the trailer.
func (z *Reader) block() error {
	if z.last {
		z.last = false
		z.align()
		z.step = (*Reader).trailer
		return nil
	}
	head, err := z.take(3)
	if err != nil {
		return err
	}
	z.last, z.step = head&1 != 0, (*Reader).inflate
	switch head >> 1 {
	case 0:
		return z.storedHeader()
	case 1:
		z.codes.fix()
		return nil
	case 2:
		return z.readCodes()
	}
	return z.corrupt()
}

// storedHeader reads the length of a block that is not compressed.
func (z *Reader) storedHeader() error {
	z.align()
	n, err := z.number(2)
	if err != nil {
		return err
	}
	inverse, err := z.number(2)
	if err != nil {
		return err
	}
	if n^inverse != 0xffff {
		return z.corrupt()
	}
	z.stored, z.step = int(n), (*Reader).copyStored
	return nil
}

// copyStored copies what there is room for of a block that is not compressed.
func (z *Reader) copyStored() error {
	for z.stored > 0 && z.end < history+room {
		if z.next == z.filled {
			if err := z.fill(); err != nil {
				return err
			}
		}
		n := copy(z.out[z.end:history+room], z.buf[z.next:min(z.filled, z.next+z.stored)])
		z.next += n
		z.end += n
		z.stored -= n
	}
	if z.stored == 0 {
		z.step = (*Reader).block
	}
	return nil
}

// readCodes reads the description of the block's codes. Source: RFC 1951, section 3.2.7.
func (z *Reader) readCodes() error {
	head, err := z.take(14)
	if err != nil {
		return err
	}
	literals, distances, described := head&31+257, head>>5&31+1, head>>10+4
	if literals > 286 || distances > 30 {
		return z.corrupt()
	}
	order := [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	var lengths [len(order)]uint8
	for _, symbol := range order[:described] {
		n, err := z.take(3)
		if err != nil {
			return err
		}
		lengths[symbol] = uint8(n)
	}
	c := &z.codes
	if !build(c.literals[:], lengthBits, lengths[:], plainEntry) {
		return z.corrupt()
	}
	var all [288 + 32]uint8
	if err := z.readLengths(all[:literals+distances]); err != nil {
		return err
	}
	if !build(c.literals[:], literalBits, all[:literals], literalEntry) ||
		!build(c.distances[:], distanceBits, all[literals:literals+distances], distanceEntry) {
		return z.corrupt()
	}
	return nil
}

// readLengths reads the lengths of codes. They are in a code of their own, for which the table of literals is lent.
func (z *Reader) readLengths(lengths []uint8) error {
	for i := 0; i < len(lengths); {
		symbol, err := z.lengthSymbol()
		if err != nil {
			return err
		}
		if symbol < 16 {
			lengths[i] = symbol
			i++
			continue
		}
		var value uint8
		least, bits := 3, uint(2)
		switch {
		case symbol == 16 && i == 0:
			return z.corrupt()
		case symbol == 16:
			value = lengths[i-1]
		case symbol == 17:
			bits = 3
		default:
			least, bits = 11, 7
		}
		times, err := z.take(bits)
		if err != nil {
			return err
		}
		if times += least; i+times > len(lengths) {
			return z.corrupt()
		}
		for range times {
			lengths[i] = value
			i++
		}
	}
	return nil
}

// lengthSymbol reads a symbol of readLengths.
func (z *Reader) lengthSymbol() (uint8, error) {
	err := z.need(lengthBits) // a code may be shorter, at the file's end
	e := z.codes.literals[z.bits&(1<<lengthBits-1)]
	switch n := uint(e & 63); {
	case n == 0 && err == nil:
		return 0, z.corrupt()
	case n == 0 || n > z.count:
		return 0, err
	default:
		z.drop(n)
		return uint8(e >> 16), nil
	}
}
