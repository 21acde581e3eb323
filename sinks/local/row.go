package local

import (
	"encoding/hex"
	"unicode/utf8"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// row is one event on its way into the store. It holds no bytes of the batch that it came in.
type row struct {
	eventID  any // as keyOf gives it
	second   int64
	values   [valueColumns]string
	readOnly int64
	outcome  Outcome
	marks    marks
	record   []byte // compressed

	actors, resources, types []string
}

// valueColumns is how many columns of event hold terms: those from name to agent.
const valueColumns = 10

// maxTerm is the length in bytes at which a value is cut before it becomes a term. Filters cut what they look for in the
// same way.
const maxTerm = 1024

// newRow reads a record of a batch.
func newRow(b *pipeline.Batch, i int, r *cloudtrail.Record, p *packer) row {
	d := describe(r)
	x := row{
		eventID: keyOf(b.ID(i)),
		values: [valueColumns]string{
			d.Name, d.Source, d.Account, d.Region, d.SourceIP, d.AccessKey, d.Identity, d.ErrorCode, d.Session, d.UserAgent,
		},
		outcome: d.Outcome, marks: d.marks,
		record: p.pack(nil, b.Record(i)),
		actors: d.actors, resources: d.names,
	}
	if at := b.Time(i); !at.IsZero() {
		x.second = at.Unix()
	}
	if d.ReadOnly {
		x.readOnly = 1
	}
	for _, resource := range d.Resources {
		x.types = append(x.types, resource.Type)
	}
	return x
}

// cut is s as a term.
func cut(s string) string {
	if len(s) <= maxTerm {
		return s
	}
	n := maxTerm
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// uuidSize is the length of a UUID as text: 0b0c2bc6-… .
const uuidSize = 36

// keyOf is how the store keeps an event's id: the sixteen bytes of a UUID in small letters, any other text as it is.
func keyOf[T string | []byte](id T) any {
	var text [32]byte
	if len(id) != uuidSize {
		return string(id)
	}
	n := 0
	for i := range uuidSize {
		c := id[i]
		switch dash := i == 8 || i == 13 || i == 18 || i == 23; {
		case dash && c == '-':
		case !dash && (c >= '0' && c <= '9' || c >= 'a' && c <= 'f'):
			text[n] = c
			n++
		default:
			return string(id)
		}
	}
	key := make([]byte, 16)
	hex.Decode(key, text[:]) //nolint:errcheck // they are hex digits
	return key
}

// idOf is the id that keyOf made a key of.
func idOf(key any) string {
	switch key := key.(type) {
	case string:
		return key
	case []byte:
		s := hex.EncodeToString(key)
		if len(s) == 32 {
			return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
		}
		return s
	}
	return ""
}
