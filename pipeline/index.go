package pipeline

import (
	"fmt"
	"strings"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// IndexPattern names the index of a record after the event's own time: in logs-{yyyy.MM.dd} the braces hold the date.
// A name without braces is used as it is. The zero value is no pattern; ParseIndexPattern makes one.
type IndexPattern struct {
	before, after string
	layout        string // of package time; "" when the name is fixed
}

// ParseIndexPattern reads a pattern. In the braces yyyy, MM and dd stand for year, month and day. The error says what would
// be right. Which names are allowed: Elasticsearch Guide, "Create index API".
func ParseIndexPattern(s string) (IndexPattern, error) {
	before, rest, dated := strings.Cut(s, "{")
	date, after, closed := strings.Cut(rest, "}")
	p := IndexPattern{before: before, after: after}
	if dated {
		p.layout = strings.NewReplacer("yyyy", "2006", "MM", "01", "dd", "02").Replace(date)
		if !closed || strings.ContainsAny(after, "{}") || strings.Trim(p.layout, "0126.-_") != "" || !strings.Contains(p.layout, "2006") {
			return IndexPattern{}, fmt.Errorf("%q is no index name: write one date in braces, such as {yyyy.MM.dd} or {yyyy.MM}", s)
		}
	}
	if name := before + after; name == "" || name != strings.ToLower(name) || strings.ContainsAny(name, "\\/*?\"<>| ,#:") || strings.ContainsAny(s[:1], "-_+.") {
		return IndexPattern{}, fmt.Errorf("%q is no index name: lower-case letters, digits, - _ and . only, and no - _ + or . in front", s)
	}
	return p, nil
}

// Dated reports whether the name holds a date, so that there are many indices.
func (p IndexPattern) Dated() bool { return p.layout != "" }

// Wildcard is the pattern that matches every index this one names, for templates and roles.
func (p IndexPattern) Wildcard() string {
	if p.layout == "" {
		return p.before + p.after
	}
	return p.before + "*" + p.after
}

// namer names indices for one goroutine. It remembers the last name, so that records of one day share one string.
type namer struct {
	pattern IndexPattern
	day     int64
	last    string
}

// undated stands for the day of events whose day is not known.
const undated = -1 << 40

// name is the index for an event of time at; a zero time, or one before CloudTrail or far off, belongs into "undated".
// It is never the clock's day: a redelivery on another day must meet its own document.
func (n *namer) name(at time.Time) string {
	day := int64(undated)
	if y := at.Year(); y >= 2006 && y < 2200 {
		day = at.Unix() / 86400
	}
	if n.last != "" && (n.day == day || n.pattern.layout == "") {
		return n.last
	}
	n.day = day
	switch {
	case n.pattern.layout == "":
		n.last = n.pattern.before + n.pattern.after
	case day == undated:
		n.last = n.pattern.before + "undated" + n.pattern.after
	default:
		n.last = n.pattern.before + at.Format(n.pattern.layout) + n.pattern.after
	}
	return n.last
}

// indexTime is the time that a record's index is named after: the event's own, else when CloudTrail wrote the file.
func indexTime(r *cloudtrail.Record) (at time.Time, own bool) {
	if at, own = r.Time(); own {
		return at, true
	}
	return r.Object.Delivered, false
}
