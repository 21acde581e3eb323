package cloudtrail

import (
	"errors"
	"math"
)

// torn is what was read of a record up to where it broke.
type torn struct {
	at     int // where it broke, in bytes of the record
	fields [fieldCount]int32
}

// note takes down where a record broke, and what of it was read before.
func (p *torn) note(cause error, r *Record) {
	p.at, p.fields = 0, r.fields
	p.fields[Unknown], p.fields[Records] = 0, 0
	if syntax, ok := errors.AsType[*syntaxError](cause); ok {
		p.at = syntax.at
	} else if cause == errShort {
		p.at = math.MaxInt
	}
}

// goesOnAt reports whether what begins skip bytes ahead, and was just parsed, is no record but the rest of the torn one, as
// a brace in place of white space begins it: no field stands in both. Where the torn one lost its end instead, the next record
// has its fields again.
func (p *torn) goesOnAt(skip int, r *Record) bool {
	if skip != p.at || p.fields == [fieldCount]int32{} {
		return false
	}
	for f := Unknown + 1; f < fieldCount; f++ {
		if p.fields[f] != 0 && r.fields[f] != 0 {
			return false
		}
	}
	return true
}
