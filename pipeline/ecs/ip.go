package ecs

import "bytes"

// isIP reports whether text is an IPv4 or IPv6 address that an ip field takes: no zone, no leading zeros in IPv4.
// net/netip would do, but wants a string and keeps it in its errors, and half of what stands here is a host name.
func isIP(text []byte) bool {
	if bytes.IndexByte(text, ':') >= 0 {
		return isIPv6(text)
	}
	return isIPv4(text)
}

func isIPv4(text []byte) bool {
	if len(text) < len("0.0.0.0") || len(text) > len("255.255.255.255") {
		return false
	}
	dots, value, digits := 0, 0, 0
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			if digits > 0 && value == 0 { // 035
				return false
			}
			value, digits = value*10+int(c-'0'), digits+1
			if value > 255 {
				return false
			}
		case c == '.' && digits > 0:
			dots, value, digits = dots+1, 0, 0
		default:
			return false
		}
	}
	return dots == 3 && digits > 0
}

// isIPv6 knows groups of up to four hex digits, one :: for groups of zeros, and an IPv4 address at the end.
// Source: RFC 4291 section 2.2.
func isIPv6(text []byte) bool {
	groups, gap := 0, false
	if bytes.HasPrefix(text, []byte("::")) {
		gap, text = true, text[2:]
	}
	for len(text) > 0 {
		n := hexDigits(text)
		if n < len(text) && text[n] == '.' {
			groups += 2
			return isIPv4(text) && fits(groups, gap)
		}
		if n == 0 || n > 4 {
			return false
		}
		groups++
		if text = text[n:]; len(text) == 0 {
			break
		}
		if text[0] != ':' || len(text) == 1 {
			return false
		}
		if text = text[1:]; text[0] == ':' {
			if gap {
				return false
			}
			gap, text = true, text[1:]
		}
	}
	return fits(groups, gap)
}

// fits reports whether so many groups of 16 bits make an address of eight.
func fits(groups int, gap bool) bool { return groups == 8 || gap && groups < 8 }

func hexDigits(text []byte) int {
	for i, c := range text {
		if lower := c | 0x20; (c < '0' || c > '9') && (lower < 'a' || lower > 'f') {
			return i
		}
	}
	return len(text)
}
