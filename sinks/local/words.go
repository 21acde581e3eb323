package local

import (
	"hash/maphash"
	"unicode"
	"unicode/utf8"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Words are runs of letters and digits, in small letters. Longer ones are cut, single characters do not count, and of an
// event with more than maxWords the rest is not found by its words.
const (
	maxWord  = 64
	maxWords = 4000
)

// words takes the words out of records.
type words struct {
	seed maphash.Seed
	seen map[uint64]struct{} // hashes of the record's words
	word []byte
}

// each calls f with every word of what no attribute holds: request, response, details, messages, resources and members
// that are not known. It is good until f returns.
func (w *words) each(r *cloudtrail.Record, f func(word []byte)) {
	if w.seen == nil {
		w.seen, w.seed = make(map[uint64]struct{}), maphash.MakeSeed()
	}
	clear(w.seen)
	for m := r.Root().First(); m.Exists(); m = m.Next() {
		if isFreeForm(cloudtrail.FieldOf(m.Key())) {
			w.walk(m, f)
		}
	}
}

// isFreeForm reports whether a member's text is looked through by words. The others are attributes, or say nothing.
func isFreeForm(f cloudtrail.Field) bool {
	switch f {
	case cloudtrail.EventVersion, cloudtrail.UserIdentity, cloudtrail.EventTime, cloudtrail.EventSource, cloudtrail.EventName,
		cloudtrail.AWSRegion, cloudtrail.SourceIPAddress, cloudtrail.UserAgent, cloudtrail.ErrorCode, cloudtrail.RequestID,
		cloudtrail.EventID, cloudtrail.EventType, cloudtrail.APIVersion, cloudtrail.ManagementEvent, cloudtrail.ReadOnly,
		cloudtrail.RecipientAccountID, cloudtrail.SharedEventID, cloudtrail.EventCategory, cloudtrail.TLSDetails,
		cloudtrail.SessionCredentialFromConsole:
		return false
	}
	return true
}

func (w *words) walk(v cloudtrail.Value, f func(word []byte)) {
	switch v.Kind() {
	case cloudtrail.KindString, cloudtrail.KindNumber:
		w.text(v.Bytes(), f)
	case cloudtrail.KindObject, cloudtrail.KindArray:
		for m := v.First(); m.Exists(); m = m.Next() {
			w.walk(m, f)
		}
	}
}

func (w *words) text(text []byte, f func(word []byte)) {
	w.word = splitWords(w.word, text, func(word []byte) {
		if len(w.seen) >= maxWords {
			return
		}
		hash := maphash.Bytes(w.seed, word)
		if _, seen := w.seen[hash]; seen {
			return
		}
		w.seen[hash] = struct{}{}
		f(word)
	})
}

// splitWords calls f with each word of text, in scratch memory that it returns for the next call.
func splitWords(scratch, text []byte, f func(word []byte)) []byte {
	word, full := scratch[:0], false
	end := func() {
		if len(word) > 1 {
			f(word)
		}
		word, full = word[:0], false
	}
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			case c >= 'A' && c <= 'Z':
				c += 'a' - 'A'
			default:
				end()
				continue
			}
			if full = full || len(word) == maxWord; !full {
				word = append(word, c)
			}
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		i += size
		if r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			end()
		} else if full = full || len(word) > maxWord-utf8.UTFMax; !full {
			word = utf8.AppendRune(word, unicode.ToLower(r))
		}
	}
	end()
	return word
}

// holdsText reports whether some string or number below v contains text, which is in small letters.
func holdsText(v cloudtrail.Value, text []byte) bool {
	switch v.Kind() {
	case cloudtrail.KindString, cloudtrail.KindNumber:
		return containsFold(v.Bytes(), text)
	case cloudtrail.KindObject, cloudtrail.KindArray:
		for m := v.First(); m.Exists(); m = m.Next() {
			if holdsText(m, text) {
				return true
			}
		}
	}
	return false
}
