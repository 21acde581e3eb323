package cloudtrail

import "time"

// ParseTime reads the forms of a time that CloudTrail writes: ISO 8601 with an optional fraction and Z or an offset, also
// without seconds or without any time of day, and the basic form 20131102T010628Z, with or without a fraction. It allocates nothing.
// Source: AWS CloudTrail User Guide, "CloudTrail record contents" and "CloudTrail userIdentity element".
func ParseTime(text []byte) (time.Time, bool) {
	p := timeParser{text: text, ok: true}
	year := p.number(4)
	extended := p.skip('-')
	month := p.number(2)
	p.separator('-', extended)
	day := p.number(2)
	hour, minute, second, nanos := 0, 0, 0, 0
	var offset time.Duration
	if len(p.text) > 0 || !extended {
		if !p.skip('T') && !p.skip(' ') {
			return time.Time{}, false
		}
		hour = p.number(2)
		p.separator(':', extended)
		minute = p.number(2)
		if p.skip(':') || !extended {
			second = p.number(2)
			nanos = p.fraction()
		}
		offset = p.zone()
	}
	if !p.ok || len(p.text) > 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if t.Day() != day && second < 60 { // 31 February
		return time.Time{}, false
	}
	return t.Add(-offset), true
}

// timeParser eats a time from the front of text; ok turns false at the first thing that is not as it should be.
type timeParser struct {
	text []byte
	ok   bool
}

func (p *timeParser) number(digits int) int {
	if len(p.text) < digits {
		p.ok = false
		return 0
	}
	n := 0
	for _, c := range p.text[:digits] {
		if c < '0' || c > '9' {
			p.ok = false
		}
		n = n*10 + int(c-'0')
	}
	p.text = p.text[digits:]
	return n
}

func (p *timeParser) skip(c byte) bool {
	if len(p.text) == 0 || p.text[0] != c {
		return false
	}
	p.text = p.text[1:]
	return true
}

func (p *timeParser) separator(c byte, wanted bool) {
	if wanted && !p.skip(c) {
		p.ok = false
	}
}

// fraction reads ".123" with any number of digits, as nanoseconds.
func (p *timeParser) fraction() int {
	if !p.skip('.') && !p.skip(',') {
		return 0
	}
	n, unit, digits := 0, 100_000_000, 0
	for len(p.text) > 0 && p.text[0] >= '0' && p.text[0] <= '9' {
		n += int(p.text[0]-'0') * unit
		unit /= 10
		digits++
		p.text = p.text[1:]
	}
	p.ok = p.ok && digits > 0
	return n
}

// farthest is how far a zone may be away from UTC, as java.time has it.
const farthest = 18 * time.Hour

// zone reads Z, +hh:mm, +hhmm, +hh or nothing.
func (p *timeParser) zone() time.Duration {
	if p.skip('Z') || p.skip('z') || len(p.text) == 0 {
		return 0
	}
	sign := time.Duration(1)
	if p.skip('-') {
		sign = -1
	} else if !p.skip('+') {
		p.ok = false
		return 0
	}
	hours, minutes := p.number(2), 0
	if p.skip(':') || len(p.text) > 0 {
		minutes = p.number(2)
	}
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	p.ok = p.ok && minutes < 60 && offset <= farthest
	return sign * offset
}

// Time is when the event happened: eventTime, of an aggregated event the end of its window. ok is false when the record
// says neither, or not in a form that ParseTime knows.
func (r *Record) Time() (t time.Time, ok bool) {
	if t, ok = ParseTime(r.Field(EventTime).Text()); ok {
		return t, true
	}
	return ParseTime(r.Field(TimeWindow).Get("windowEnd").Text())
}
