package history

import (
	"slices"
	"strconv"
	"strings"
)

// Values are what a filter by the attribute looks at, without empty ones. Whether an event is the First of its kind it does
// not say itself: there are none.
func (d *Description) Values(a Attribute) []string {
	switch a {
	case User:
		return compact(slices.Clone(d.Actors)...)
	case ResourceName:
		return compact(slices.Clone(d.Names)...)
	case ResourceType:
		types := make([]string, len(d.Resources))
		for i, r := range d.Resources {
			types[i] = r.Type
		}
		return compact(types...)
	case Issued:
		return compact(slices.Clone(d.Issued)...)
	case TraitIs:
		return compact(slices.Clone(d.Traits)...)
	case OutcomeIs:
		if d.Outcome == Denied {
			return []string{Failure.String(), Denied.String()}
		}
		return []string{d.Outcome.String()}
	}
	return compact(d.value(a))
}

// value is the one value of an attribute that has no more.
func (d *Description) value(a Attribute) string {
	switch a {
	case EventName:
		return d.Name
	case EventSource:
		return d.Source
	case AccessKey:
		return d.AccessKey
	case EventID:
		return d.ID
	case ReadOnly:
		return strconv.FormatBool(d.ReadOnly)
	case Account:
		return d.Account
	case Region:
		return d.Region
	case SourceIP:
		return d.SourceIP
	case ErrorCode:
		return d.ErrorCode
	case Identity:
		return d.Identity
	case Session:
		return d.Session
	case UserAgent:
		return d.UserAgent
	}
	return d.otherValue(a)
}

func (d *Description) otherValue(a Attribute) string {
	switch a {
	case MFA:
		return d.MFA
	case Console:
		return strconv.FormatBool(d.Console)
	case Service:
		return strconv.FormatBool(d.Service)
	case EventType:
		return d.Type
	case Category:
		return d.Category
	case RequestID:
		return d.RequestID
	case SharedID:
		return d.SharedID
	case InvokedBy:
		return d.InvokedBy
	}
	return ""
}

// Pass reports whether the filter passes the event, for stores that have no index for its attribute.
func (f *Filter) Pass(d *Description) bool {
	return f.Not != slices.ContainsFunc(d.Values(f.Attribute), func(has string) bool {
		if !f.Glob {
			return slices.Contains(f.Values, has)
		}
		return slices.ContainsFunc(f.Values, func(pattern string) bool { return MatchGlob(has, pattern) })
	})
}

// MatchGlob reports whether a text is as a pattern of a Filter with Glob says: each * stands for any text, and case does
// not count.
func MatchGlob(text, pattern string) bool {
	text, parts := strings.ToLower(text), strings.Split(strings.ToLower(pattern), "*")
	if len(parts) == 1 {
		return text == parts[0]
	}
	text, ok := strings.CutPrefix(text, parts[0])
	for _, part := range parts[1 : len(parts)-1] {
		if !ok {
			return false
		}
		_, text, ok = strings.Cut(text, part)
	}
	return ok && strings.HasSuffix(text, parts[len(parts)-1])
}

// Pieces takes the text of a Query apart at white space outside of quotes. A quote that does not end goes to the end.
func Pieces(text string) (pieces []string) {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		var one string
		if rest, ok := strings.CutPrefix(text, `"`); ok {
			one, text, _ = strings.Cut(rest, `"`)
			one = strings.TrimSpace(one)
		} else if end := strings.IndexAny(text, " \t\r\n\""); end >= 0 {
			one, text = text[:end], text[end:]
		} else {
			one, text = text, ""
		}
		if one != "" {
			pieces = append(pieces, one)
		}
	}
	return pieces
}
