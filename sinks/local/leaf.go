package local

import (
	"crypto/sha256"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// maxLeaves is how many leaves of one event are found by their values; further ones are not.
const maxLeaves = 4000

// shortLeaf is the length in bytes up to which a leaf is its own key. Of longer ones there is a part of their SHA-256, one
// byte longer than that: nobody can make a value that is taken for another one, so as to be left out with it.
const shortLeaf = 7

// appendLeafKey appends the key of a leaf's text.
func appendLeafKey(dst, text []byte) []byte {
	dst = append(dst, codeLeaf)
	if len(text) <= shortLeaf {
		return append(dst, text...)
	}
	sum := sha256.Sum256(text)
	return append(dst, sum[:shortLeaf+1]...)
}

// leaves takes out of records what history.LeafValue finds them by.
type leaves struct{ left int }

// each calls f with the text of every leaf that is not empty. It is good until f returns.
func (l *leaves) each(r *cloudtrail.Record, f func(text []byte)) {
	l.left = maxLeaves
	for _, field := range []cloudtrail.Field{
		cloudtrail.RequestParameters, cloudtrail.ResponseElements, cloudtrail.AdditionalEventData, cloudtrail.ServiceEventDetails,
	} {
		l.walk(r.Field(field), f)
	}
}

func (l *leaves) walk(v cloudtrail.Value, f func(text []byte)) {
	var text []byte
	switch v.Kind() {
	case cloudtrail.KindString, cloudtrail.KindNumber:
		text = v.Bytes()
	case cloudtrail.KindTrue, cloudtrail.KindFalse:
		text = v.Raw()
	case cloudtrail.KindObject, cloudtrail.KindArray:
		for m := v.First(); m.Exists() && l.left > 0; m = m.Next() {
			l.walk(m, f)
		}
	}
	if len(text) > 0 && l.left > 0 {
		l.left--
		f(text)
	}
}
