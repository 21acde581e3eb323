package cloudtrail

import "net/netip"

// ParseAddr reads an IPv4 or IPv6 address as netip.ParseAddr does, without a zone. It allocates nothing, also for what is
// no address: half of the sourceIPAddress fields hold the name of an AWS service.
func ParseAddr(text []byte) (netip.Addr, bool) {
	for _, c := range text {
		switch c {
		case '.':
			a, ok := parseIPv4(text)
			return netip.AddrFrom4(a), ok
		case ':':
			return parseIPv6(text)
		}
	}
	return netip.Addr{}, false
}

func parseIPv4(text []byte) (a [4]byte, ok bool) {
	part, value, digits := 0, 0, 0
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			if digits > 0 && value == 0 { // 035
				return a, false
			}
			value, digits = value*10+int(c-'0'), digits+1
			if value > 255 {
				return a, false
			}
		case c == '.' && digits > 0 && part < 3:
			a[part] = byte(value)
			part, value, digits = part+1, 0, 0
		default:
			return a, false
		}
	}
	a[3] = byte(value)
	return a, part == 3 && digits > 0
}

// parseIPv6 knows groups of up to four hex digits, one :: for groups of zeros, and an IPv4 address at the end.
// Source: RFC 4291 section 2.2.
func parseIPv6(text []byte) (netip.Addr, bool) {
	var a [16]byte
	n, gap := 0, -1
	if len(text) >= 2 && text[0] == ':' && text[1] == ':' {
		gap, text = 0, text[2:]
	}
	for len(text) > 0 {
		if n == 16 {
			return netip.Addr{}, false
		}
		group, size := hexGroup(text)
		if size > 0 && size < len(text) && text[size] == '.' {
			last, ok := parseIPv4(text)
			if !ok || n > 12 {
				return netip.Addr{}, false
			}
			n += copy(a[n:], last[:])
			break
		}
		if size == 0 || size > 4 {
			return netip.Addr{}, false
		}
		a[n], a[n+1] = byte(group>>8), byte(group)
		n += 2
		if text = text[size:]; len(text) == 0 {
			break
		}
		if text[0] != ':' || len(text) == 1 {
			return netip.Addr{}, false
		}
		if text = text[1:]; text[0] == ':' {
			if gap >= 0 {
				return netip.Addr{}, false
			}
			gap, text = n, text[1:]
		}
	}
	if gap < 0 && n < 16 || gap >= 0 && n == 16 {
		return netip.Addr{}, false
	}
	if gap >= 0 {
		tail := copy(a[16-(n-gap):], a[gap:n])
		clear(a[gap : 16-tail])
	}
	return netip.AddrFrom16(a), true
}

// hexGroup reads the hex digits that text begins with, and says how many they are.
func hexGroup(text []byte) (value uint32, size int) {
	for _, c := range text {
		switch lower := c | 0x20; {
		case c >= '0' && c <= '9':
			value = value<<4 | uint32(c-'0')
		case lower >= 'a' && lower <= 'f':
			value = value<<4 | uint32(lower-'a'+10)
		default:
			return value, size
		}
		size++
	}
	return value, size
}
