package lookup

import (
	"strings"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// maxExpansions is how many words the last word of a piece of text may stand for.
const maxExpansions = 1000

// containingPiece passes the documents that have a piece of text: within the value of a field, or as words of a free-form
// object's text, the last one perhaps longer. Where there are no texts it is looked for within all values of the objects, which
// takes a hundred times as long.
func (c *Cluster) containingPiece(piece string) query {
	pattern := containing(piece)
	clauses := []query{documents(piece), is(trailFields+"request_id", piece)}
	for _, name := range []string{
		fieldAction, fieldProvider, fieldRegion, fieldAccount, fieldRecipient, fieldAddress, fieldAgent, fieldUser, fieldPrincipal, fieldRelated,
		fieldError, fieldMessage, fieldIdentity, fieldARN, fieldKey, fieldInvokedBy, fieldBehalf, fieldIssuer, fieldIssuerID, fieldSourceID,
		fieldResource, fieldEntity, trailFields + "event_type", trailFields + "shared_event_id", trailFields + "resources.type",
	} {
		clauses = append(clauses, matches(name, pattern))
	}
	for _, form := range freeForm() {
		if c.texts {
			clauses = append(clauses, query{Begins: map[string]phrase{trailFields + form + ".text": {Query: piece, Expansions: maxExpansions}}})
		} else {
			clauses = append(clauses, matches(flattenedFields+form, pattern))
		}
	}
	return either(clauses...)
}

// contains reports whether a value of the record, or of an attribute, contains a text in small letters.
func (f *found) contains(small string) bool {
	for _, a := range history.Attributes() {
		for _, v := range f.Values(a) {
			if strings.Contains(strings.ToLower(v), small) {
				return true
			}
		}
	}
	return holds(f.record.Root(), small)
}

func holds(v cloudtrail.Value, small string) bool {
	switch v.Kind() {
	case cloudtrail.KindString, cloudtrail.KindNumber:
		return strings.Contains(strings.ToLower(string(v.Bytes())), small)
	case cloudtrail.KindObject, cloudtrail.KindArray:
		for m := v.First(); m.Exists(); m = m.Next() {
			if holds(m, small) {
				return true
			}
		}
	}
	return false
}
